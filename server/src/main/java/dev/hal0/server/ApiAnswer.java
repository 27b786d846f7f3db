package dev.hal0.server;

import java.util.Map;

/** What a handler answers: a JSON body, a text, or a stream that the handler feeds from then on. */
sealed interface ApiAnswer {
    /** @param body anything Jackson writes */
    record Body(int status, Object body, Map<String, String> headers) implements ApiAnswer {}

    record Text(String contentType, String text) implements ApiAnswer {}

    /** @param start called on a virtual thread once the response's head is out */
    record Stream(StreamStart start) implements ApiAnswer {}

    @FunctionalInterface
    interface StreamStart {
        void start(EventStream stream) throws Exception;
    }

    static ApiAnswer ok(Object body) {
        return new Body(200, body, Map.of());
    }

    static ApiAnswer of(int status, Object body) {
        return new Body(status, body, Map.of());
    }
}
