package dev.hal0.gateway;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What an engine is told of a client's request: the least that works.
 *
 * @param rest of the body, which is not worth copying behind the head; null when the head has it all
 */
record EngineRequest(Buffer head, @Nullable Buffer rest) {
    /** The client's headers that an engine may see; everything else is nobody's business but ours. */
    private static final List<String> PASSED_ON = List.of("traceparent", "tracestate");

    /** One write and one packet are worth a copy of this much, and no more memory than this. */
    private static final int MOST_COPIED_BYTES = 64 << 10;

    private static final int HEAD_BYTES = 512;

    static EngineRequest of(Admission.Admitted admitted, String requestId, HttpServerRequest client, Buffer body) {
        var endpoint = admitted.target().endpoint();
        var text = new StringBuilder(HEAD_BYTES)
                .append("POST ")
                .append(admitted.path())
                .append(" HTTP/1.1");
        field(text, "Host", endpoint.authority());
        field(text, "Authorization", "Bearer " + endpoint.key());
        field(text, "Content-Type", "application/json");
        field(text, "Accept-Encoding", "identity");
        field(text, "X-Request-ID", requestId);
        for (String name : PASSED_ON) {
            String value = client.getHeader(name);
            if (value != null && HeaderText.isPrintable(value)) {
                field(text, name, value);
            }
        }
        field(text, "Content-Length", Integer.toString(body.length()));
        text.append("\r\n\r\n");
        if (body.length() > MOST_COPIED_BYTES) {
            return new EngineRequest(Buffer.buffer(text.toString()), body);
        }
        Buffer whole = Buffer.buffer(text.length() + body.length());
        return new EngineRequest(whole.appendString(text.toString()).appendBuffer(body), null);
    }

    private static void field(StringBuilder text, String name, String value) {
        if (!HeaderText.isPrintable(value)) {
            throw new IllegalArgumentException("no header may hold the value of " + name);
        }
        text.append("\r\n").append(name).append(": ").append(value);
    }
}
