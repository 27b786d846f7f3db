package dev.hal0.gateway;

import io.vertx.core.http.HttpConnection;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Which connections have carried a request before. An engine closes a kept connection whenever it likes, also in the instant
 * in which it is used again (llama-server does after long streams): such a request reached nobody and may be sent anew, which
 * must never be said of one on a fresh connection. Thread-safe.
 */
final class EngineConnections {
    private final Set<HttpConnection> used = ConcurrentHashMap.newKeySet();

    /** Notes the use; true if it is not the first. */
    boolean reuse(HttpConnection connection) {
        if (!used.add(connection)) {
            return true;
        }
        connection.closeHandler(ignored -> used.remove(connection));
        return false;
    }
}
