package dev.hal0.runtime.engine;

import dev.hal0.slots.Endpoint;
import dev.hal0.slots.Health;
import java.io.IOException;
import java.time.Duration;

/** The health question that llama.cpp, whisper.cpp and the starter engine answer alike. */
final class HttpHealth {
    private static final Duration DEADLINE = Duration.ofSeconds(3);

    private HttpHealth() {}

    static Health ask(Endpoint endpoint) {
        return ask(endpoint, "/health");
    }

    /** 200 is ready, everything else is not: no second path is tried, which could call a loading engine ready. */
    static Health ask(Endpoint endpoint, String path) {
        try {
            EngineHttp.Reply reply = EngineHttp.get(endpoint, path, DEADLINE);
            if (reply.status() == 200) {
                return new Health.Ready();
            }
            return new Health.Loading("the engine answers " + reply.status() + " to /health");
        } catch (IOException silent) {
            return new Health.Unreachable("the engine does not answer yet: " + silent.getMessage());
        }
    }
}
