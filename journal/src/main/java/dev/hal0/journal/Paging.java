package dev.hal0.journal;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import org.jspecify.annotations.Nullable;

/**
 * Which part of a table. Pages are cut by position and not by request id, because clients may repeat those.
 *
 * @param before only what was recorded before this position, which is a page's {@link Page#next()}; null from the newest.
 *     Rows that are recorded or deleted meanwhile neither repeat nor hide a row.
 * @param limit rows at most, 1 to {@link #MOST}
 */
public record Paging(@Nullable Long before, int limit) {
    public static final int MOST = 1000;

    /** @throws Hal0Exception {@code request.invalid} when the limit is out of bounds */
    public Paging {
        if (limit < 1 || limit > MOST) {
            throw new Hal0Exception(ErrorCode.REQUEST_INVALID, "limit is " + limit + "; it may be 1 to " + MOST)
                    .withParam("limit");
        }
    }

    /** The newest rows. */
    public static Paging newest(int limit) {
        return new Paging(null, limit);
    }
}
