package dev.hal0.gateway;

import java.util.List;

/**
 * What clients of OpenAI look for and hal0 does not have: answered 501 with the reason, so that nobody searches for a typing
 * error.
 *
 * @param path and everything below it
 */
public record UnservedRoute(String path, String reason) {
    private static final String NO_STATE = "hal0 keeps nothing of what clients send.";

    public static final List<UnservedRoute> ALL = List.of(
            new UnservedRoute("/v1/audio/speech", "No engine that speaks is part of this version."),
            new UnservedRoute("/v1/audio/voices", "No engine that speaks is part of this version."),
            new UnservedRoute("/v1/images/generations", "No engine that makes images is part of this version."),
            new UnservedRoute("/v1/images/edits", "No engine that makes images is part of this version."),
            new UnservedRoute("/v1/images/variations", "No engine that makes images is part of this version."),
            new UnservedRoute("/v1/realtime", "Speech in both directions is not part of this version."),
            new UnservedRoute("/v1/moderations", "There is no moderation model."),
            new UnservedRoute("/v1/files", NO_STATE),
            new UnservedRoute("/v1/uploads", NO_STATE),
            new UnservedRoute("/v1/batches", NO_STATE),
            new UnservedRoute("/v1/vector_stores", NO_STATE),
            new UnservedRoute("/v1/conversations", NO_STATE),
            new UnservedRoute("/v1/assistants", NO_STATE + " Use /v1/chat/completions or /v1/responses."),
            new UnservedRoute("/v1/threads", NO_STATE + " Use /v1/chat/completions or /v1/responses."),
            new UnservedRoute("/v1/fine_tuning", "hal0 runs models; it does not train them."),
            new UnservedRoute("/v1/evals", "hal0 runs models; it does not rate them."));
}
