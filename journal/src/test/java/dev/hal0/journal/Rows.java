package dev.hal0.journal;

import dev.hal0.journal.RequestRow.Timings;
import dev.hal0.journal.RequestRow.Tokens;
import java.time.Instant;
import java.util.Map;

/** Rows of which the tests care about one part. */
final class Rows {
    static final Instant NOW = Instant.parse("2026-11-22T10:00:00Z");

    private Rows() {}

    static RequestRow request(String id) {
        return request(id, NOW);
    }

    static RequestRow request(String id, Instant at) {
        return request(id, at, "chat", 200, Outcome.COMPLETE);
    }

    static RequestRow request(String id, Instant at, String slot, int status, Outcome outcome) {
        return new RequestRow(
                id,
                at,
                "/v1/chat/completions",
                "qwen",
                slot,
                "qwen3-8b-q4",
                "chat",
                "key-1",
                status,
                null,
                true,
                new Tokens(120L, 60L, 100L),
                new Timings(0L, null, 40L, 55L, 900L, 960L),
                512L,
                8_192L,
                "interactive",
                outcome);
    }

    static EventRow event(String id) {
        return event(id, "slot.state", "chat");
    }

    static EventRow event(String id, String kind, String subject) {
        return new EventRow(id, NOW, kind, subject, Map.of("state", "ready"));
    }

    static OperationRow running(String id) {
        return new OperationRow(id, "chat", "load", "operator", "running", NOW, null, null, "Loading", null);
    }

    static OperationRow failed(String id) {
        return new OperationRow(
                id,
                "chat",
                "load",
                "operator",
                "failed",
                NOW,
                NOW.plusSeconds(3),
                "slot.crashed",
                "The engine exited",
                Map.of("exit", 1));
    }

    static TransitionRow transition(String slot, String to) {
        return new TransitionRow(slot, "offline", to, "requested", null, NOW, "op-1", "");
    }
}
