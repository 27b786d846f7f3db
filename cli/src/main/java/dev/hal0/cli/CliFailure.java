package dev.hal0.cli;

import java.util.LinkedHashMap;
import java.util.Map;

/** A command that did not succeed: what to print and what to exit with. */
final class CliFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int exitCode;
    private final String code;
    private final String remedy;
    private final transient Map<String, Object> body;

    /** @param remedy empty where there is none */
    CliFailure(int exitCode, String code, String message, String remedy) {
        super(message);
        this.exitCode = exitCode;
        this.code = code;
        this.remedy = remedy;
        this.body = Map.of();
    }

    /** @param body the server's whole answer, for {@code --json} */
    CliFailure(int exitCode, String code, String message, String remedy, Map<String, Object> body) {
        super(message);
        this.exitCode = exitCode;
        this.code = code;
        this.remedy = remedy;
        this.body = body;
    }

    int exitCode() {
        return exitCode;
    }

    String remedy() {
        return remedy;
    }

    /** One JSON document, also for failures that never reached a server. */
    Map<String, Object> document() {
        if (!body.isEmpty()) {
            return body;
        }
        var error = new LinkedHashMap<String, Object>();
        error.put("code", code);
        error.put("message", String.valueOf(getMessage()));
        error.put("details", remedy.isEmpty() ? Map.of() : Map.of("remedy", remedy));
        return Map.of("error", error);
    }
}
