package dev.hal0.gateway;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.slots.Priority;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.net.SocketAddress;
import io.vertx.ext.web.RoutingContext;
import java.util.Arrays;

/** Who asks, and how urgently. */
public final class Callers {
    static final String PRIORITY = "X-Hal0-Priority";

    /** Under which whoever checks keys leaves the name of the key. */
    public static final String KEY = "hal0.caller";

    private Callers() {}

    /** The name of the key that the request came with, else the address it came from. */
    static String of(RoutingContext context) {
        String named = context.get(KEY);
        if (named != null) {
            return named;
        }
        SocketAddress peer = context.request().remoteAddress();
        String address = peer == null ? null : peer.hostAddress();
        return address == null ? "unknown" : address;
    }

    /** @throws Hal0Exception {@code request.invalid} for a word that is none */
    static Priority priority(HttpServerRequest request) {
        String asked = request.getHeader(PRIORITY);
        if (asked == null || asked.isBlank()) {
            return Priority.INTERACTIVE;
        }
        return Priority.of(asked.strip())
                .orElseThrow(() -> new Hal0Exception(
                                ErrorCode.REQUEST_INVALID,
                                "The header " + PRIORITY + " can be "
                                        + String.join(
                                                " or ",
                                                Arrays.stream(Priority.values())
                                                        .map(Priority::label)
                                                        .toList())
                                        + ".")
                        .withParam(PRIORITY));
    }
}
