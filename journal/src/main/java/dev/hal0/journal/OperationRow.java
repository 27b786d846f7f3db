package dev.hal0.journal;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A lifecycle request and what became of it. Recorded again under the same id, it replaces what was recorded before; an
 * operation that has ended is not replaced by one that has not.
 *
 * @param slot null when it is about no slot
 * @param kind such as {@code load}
 * @param cause who or what asked
 * @param state such as {@code running}, or {@link #ABANDONED}
 * @param startedAt kept in milliseconds
 * @param finishedAt null while it runs, and for ever when it was abandoned: nobody saw the end
 * @param errorCode an entry of the catalogue; null unless it failed
 * @param details plain JSON-able values, see {@link EventRow#payload()}; null when there are none
 */
public record OperationRow(
        String id,
        @Nullable String slot,
        String kind,
        String cause,
        String state,
        Instant startedAt,
        @Nullable Instant finishedAt,
        @Nullable String errorCode,
        String message,
        @Nullable Object details)
        implements JournalRow {
    /** The state of an operation that was running when the control plane died; the next life of the journal writes it. */
    public static final String ABANDONED = "abandoned";
}
