package dev.hal0.server;

import java.util.List;

/** Every series of {@code /metrics}; {@code docs/metrics.md} is generated from it, and a test compares it to a scrape. */
final class MetricsCatalogue {
    /**
     * @param name without the suffixes that a histogram's samples have
     * @param labels besides the bucket's {@code le}
     */
    record Series(String name, String type, List<String> labels, String meaning) {}

    static final List<Series> ALL = List.of(
            gauge("hal0_build_info", "1, with the version.", "version"),
            gauge("hal0_slot_up", "1 while requests are dispatched to the slot, else 0.", "slot"),
            gauge("hal0_slot_state", "1 for the state that the slot is in, 0 for every other.", "slot", "state"),
            gauge("hal0_slots_ready_total", "Slots that requests are dispatched to; a gauge in spite of its name."),
            gauge("hal0_slot_inside", "Requests inside the engine, by the slot's gate.", "slot"),
            gauge("hal0_slot_permits", "Requests that the engine works on at once.", "slot"),
            gauge("hal0_slot_waiting", "Requests that wait for a turn.", "slot"),
            gauge("hal0_slot_memory_bytes", "Held by the slot's workload; absent while unknown.", "slot"),
            gauge("hal0_slot_failures", "Attempts to load it that failed in a row.", "slot"),
            counter("hal0_slot_transitions_total", "Changes of state, by edge and cause.", "slot", "edge", "cause"),
            counter("hal0_slot_revoked_requests_total", "Requests that a stop by force cut.", "slot", "cause"),
            counter("hal0_slot_operations_total", "Loads, unloads and others that ended.", "slot", "kind", "status"),
            histogram("hal0_slot_load_seconds", "From a load's request to ready, of loads that succeeded.", "slot"),
            gauge(
                    "hal0_requests_in_flight",
                    "Inference requests under way; slot `none` before one is known.",
                    "slot",
                    "phase"),
            counter(
                    "hal0_requests_total",
                    "Inference requests that ended. The model is the one that was resolved, never what a client wrote.",
                    "slot",
                    "model",
                    "route",
                    "status",
                    "outcome"),
            counter("hal0_request_errors_total", "Those that failed, by error code.", "slot", "code"),
            counter("hal0_requests_cancelled_total", "Ended early by their client or an operator.", "slot", "by"),
            counter(
                    "hal0_engine_errors_total",
                    "Answers that the engine refused, broke off or let hang.",
                    "slot",
                    "code"),
            histogram("hal0_request_seconds", "From arrival to the end of the answer.", "slot", "model", "route"),
            histogram(
                    "hal0_request_first_content_seconds",
                    "From arrival to the first text, thought or tool call of a" + " stream.",
                    "slot",
                    "model",
                    "route"),
            histogram(
                    "hal0_request_queue_seconds",
                    "Waited for a turn, of requests that had to.",
                    "slot",
                    "model",
                    "route"),
            histogram(
                    "hal0_request_load_seconds",
                    "Waited for the slot to be ready, of requests that had to.",
                    "slot",
                    "model",
                    "route"),
            histogram(
                    "hal0_request_prefill_seconds",
                    "The engine read the prompt, by its own clock.",
                    "slot",
                    "model",
                    "route"),
            histogram(
                    "hal0_request_decode_seconds",
                    "The engine wrote the answer, by its own clock.",
                    "slot",
                    "model",
                    "route"),
            histogram(
                    "hal0_request_decode_tokens_per_second",
                    "Of one answer, by the engine's own clock and count.",
                    "slot",
                    "model",
                    "route"),
            counter(
                    "hal0_prompt_tokens_total",
                    "As the engine counted, cached ones included.",
                    "slot",
                    "model",
                    "route"),
            counter(
                    "hal0_cached_prompt_tokens_total",
                    "The part of the prompts that needed no work.",
                    "slot",
                    "model",
                    "route"),
            counter("hal0_completion_tokens_total", "As the engine counted.", "slot", "model", "route"),
            counter("hal0_response_bytes_total", "Of engines' answers that were passed on.", "slot", "model", "route"),
            gauge("hal0_memory_budget_bytes", "What slots may hold together.", "pool"),
            gauge("hal0_memory_free_bytes", "What one more slot could take, as last measured.", "pool"),
            gauge("hal0_journal_up", "1 while history can be written."),
            gauge("hal0_journal_queued_rows", "History that waits for the writer."),
            counter("hal0_journal_written_rows_total", "History in the file."),
            counter("hal0_journal_dropped_rows_total", "History that was lost.", "reason"));

    private MetricsCatalogue() {}

    static String meaning(String name) {
        return ALL.stream()
                .filter(series -> series.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(name + " is not in the catalogue"))
                .meaning();
    }

    private static Series gauge(String name, String meaning, String... labels) {
        return new Series(name, "gauge", List.of(labels), meaning);
    }

    private static Series counter(String name, String meaning, String... labels) {
        return new Series(name, "counter", List.of(labels), meaning);
    }

    private static Series histogram(String name, String meaning, String... labels) {
        return new Series(name, "histogram", List.of(labels), meaning);
    }
}
