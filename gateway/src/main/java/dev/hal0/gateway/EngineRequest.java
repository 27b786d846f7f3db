package dev.hal0.gateway;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import java.util.List;

/**
 * What an engine is told of a client's request: the least that works.
 *
 * @param rest of the body, which is not worth copying behind the head; empty when the head has it all
 */
record EngineRequest(Buffer head, List<BodyPiece> rest) {
    /** The client's headers that an engine may see; everything else is nobody's business but ours. */
    private static final List<String> PASSED_ON = List.of("traceparent", "tracestate");

    /** One write and one packet are worth a copy of this much, and no more memory than this. */
    private static final int MOST_COPIED_BYTES = 64 << 10;

    private static final int HEAD_BYTES = 512;

    static EngineRequest of(
            HttpMethod method,
            Admission.Admitted admitted,
            String requestId,
            HttpServerRequest client,
            EngineBody body) {
        var endpoint = admitted.target().endpoint();
        var text = new StringBuilder(HEAD_BYTES)
                .append(method.name())
                .append(' ')
                .append(admitted.path())
                .append(" HTTP/1.1");
        field(text, "Host", endpoint.authority());
        field(text, "Authorization", "Bearer " + endpoint.key());
        if (!body.pieces().isEmpty()) {
            field(text, "Content-Type", body.contentType());
        }
        field(text, "Accept-Encoding", "identity");
        field(text, "X-Request-ID", requestId);
        for (String name : PASSED_ON) {
            String value = client.getHeader(name);
            if (value != null && HeaderText.isPrintable(value)) {
                field(text, name, value);
            }
        }
        if (method == HttpMethod.POST) {
            field(text, "Content-Length", Long.toString(body.length()));
        }
        text.append("\r\n\r\n");
        Buffer whole = Buffer.buffer(text.length() + (int) Math.min(MOST_COPIED_BYTES, body.length()))
                .appendString(text.toString());
        int copied = 0;
        for (BodyPiece piece : body.pieces()) {
            if (!(piece instanceof BodyPiece.Bytes bytes) || whole.length() + bytes.length() > MOST_COPIED_BYTES) {
                break;
            }
            whole.appendBuffer(bytes.bytes());
            copied++;
        }
        return new EngineRequest(
                whole, body.pieces().subList(copied, body.pieces().size()));
    }

    private static void field(StringBuilder text, String name, String value) {
        if (!HeaderText.isPrintable(value)) {
            throw new IllegalArgumentException("no header may hold the value of " + name);
        }
        text.append("\r\n").append(name).append(": ").append(value);
    }
}
