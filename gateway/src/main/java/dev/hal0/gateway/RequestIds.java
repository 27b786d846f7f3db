package dev.hal0.gateway;

import io.vertx.ext.web.RoutingContext;
import java.util.HexFormat;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;

/** One id per request, the client's if it is a sane one: in every response's {@code X-Request-ID} and in every log line. */
public final class RequestIds {
    private static final String KEY = "hal0.request-id";
    private static final Pattern SANE = Pattern.compile("[A-Za-z0-9._-]{1,128}");

    private RequestIds() {}

    /** The first handler of every request. */
    public static void assign(RoutingContext context) {
        var unused = of(context);
        context.next();
    }

    /** The request's id; given now if no earlier handler did. */
    public static String of(RoutingContext context) {
        String known = context.get(KEY);
        if (known != null) {
            return known;
        }
        String given = context.request().getHeader("X-Request-ID");
        String id = given != null && SANE.matcher(given).matches() ? given : fresh();
        context.put(KEY, id);
        if (!context.response().headWritten()) {
            context.response().putHeader("X-Request-ID", id);
        }
        return id;
    }

    /** Nobody is let in for knowing one, so it need not be secret, only different: a UUID asks the kernel for randomness. */
    private static String fresh() {
        var random = ThreadLocalRandom.current();
        var hex = HexFormat.of();
        return "req-" + hex.toHexDigits(random.nextLong()) + hex.toHexDigits(random.nextLong());
    }
}
