package dev.hal0.server;

import io.vertx.core.http.HttpMethod;
import org.jspecify.annotations.Nullable;

/**
 * One route of {@code /api}, as data: the router, the 405 answers and the OpenAPI description all come from the same list.
 *
 * @param path with parameters in braces, such as {@code /api/slots/{name}}
 * @param request record that the body is bound to, or null for none
 * @param response record or array of records that a success answers with, or null where it is described in the summary
 * @param status of a success
 */
record ApiRoute(
        HttpMethod method,
        String path,
        String summary,
        @Nullable Class<?> request,
        @Nullable Class<?> response,
        int status,
        ApiHandler handler) {

    /** Runs on a virtual thread and may block; a failure is thrown. */
    @FunctionalInterface
    interface ApiHandler {
        ApiAnswer handle(ApiRequest request) throws Exception;
    }

    static ApiRoute get(String path, String summary, @Nullable Class<?> response, ApiHandler handler) {
        return new ApiRoute(HttpMethod.GET, path, summary, null, response, 200, handler);
    }

    static ApiRoute post(
            String path,
            String summary,
            @Nullable Class<?> request,
            @Nullable Class<?> response,
            int status,
            ApiHandler handler) {
        return new ApiRoute(HttpMethod.POST, path, summary, request, response, status, handler);
    }

    static ApiRoute put(
            String path, String summary, @Nullable Class<?> request, @Nullable Class<?> response, ApiHandler handler) {
        return new ApiRoute(HttpMethod.PUT, path, summary, request, response, 200, handler);
    }

    static ApiRoute delete(String path, String summary, @Nullable Class<?> response, ApiHandler handler) {
        return new ApiRoute(HttpMethod.DELETE, path, summary, null, response, 200, handler);
    }
}
