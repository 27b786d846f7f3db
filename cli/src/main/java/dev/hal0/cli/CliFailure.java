package dev.hal0.cli;

import dev.hal0.kernel.Json;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** A command that did not succeed: what to print and what to exit with. */
final class CliFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int exitCode;
    private final String code;
    private final String remedy;
    private final transient @Nullable JsonNode body;

    /** @param remedy empty where there is none */
    CliFailure(int exitCode, String code, String message, String remedy) {
        this(exitCode, code, message, remedy, null);
    }

    /** @param body the server's whole answer, for {@code --json} */
    CliFailure(int exitCode, String code, String message, String remedy, @Nullable JsonNode body) {
        super(message);
        this.exitCode = exitCode;
        this.code = code;
        this.remedy = remedy;
        this.body = body;
    }

    int exitCode() {
        return exitCode;
    }

    String code() {
        return code;
    }

    String message() {
        return String.valueOf(getMessage());
    }

    String remedy() {
        return remedy;
    }

    /** One JSON document, also for failures that never reached a server. */
    JsonNode document() {
        if (body != null) {
            return body;
        }
        var document = Json.LENIENT.createObjectNode();
        document.putObject("error")
                .put("code", code)
                .put("message", message())
                .set("details", Json.LENIENT.valueToTree(remedy.isEmpty() ? Map.of() : Map.of("remedy", remedy)));
        return document;
    }
}
