package dev.hal0.server;

import dev.hal0.gateway.Accounting;
import dev.hal0.gateway.EngineFigures;
import dev.hal0.gateway.InFlight;
import dev.hal0.journal.JournalStatus;
import dev.hal0.journal.Outcome;
import dev.hal0.kernel.SlotName;
import dev.hal0.slots.CauseCode;
import dev.hal0.slots.Operation;
import dev.hal0.slots.RevokeCause;
import dev.hal0.slots.SlotEdge;
import dev.hal0.slots.SlotState;
import dev.hal0.slots.SlotView;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.jspecify.annotations.Nullable;

/**
 * What Prometheus is told. Counters and histograms are fed by events, once for each request when it has ended; gauges are
 * read when somebody scrapes, so that they say what is and nothing has to keep them up to date.
 *
 * <p>Labels are slots, models that were resolved, routes of the table and words of our own catalogues: nothing that a client
 * can make up. A box whose slots and models are renamed for ever stops at {@link #MOST_LINES} of them; the rest is counted
 * together as {@code other}.
 *
 * <p>Thread-safe. Meters are resolved once for each slot, model and route.
 */
final class Metrics {
    static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";
    static final int MOST_LINES = 500;

    private static final String NONE = "none";
    private static final String OTHER = "other";

    /** From a cached embedding to a cold load of the largest model. */
    private static final double[] SECONDS = {
        0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900
    };

    private static final double[] TOKENS_PER_SECOND = {1, 2, 5, 10, 15, 20, 30, 40, 60, 80, 100, 150, 250, 500, 1000};

    /** The state of everything at one scrape. */
    record Now(
            List<SlotView> slots,
            List<InFlight> inFlight,
            JournalStatus journal,
            Map<String, Long> budgetBytes,
            Map<String, Long> freeBytes) {}

    private record Line(String slot, String model, String route) {}

    private record Ending(int status, Outcome outcome) {}

    /** The meters of one line. */
    private final class Meters {
        private final Tags tags;
        private final Line line;
        private final DistributionSummary total;
        private final DistributionSummary firstContent;
        private final DistributionSummary queued;
        private final DistributionSummary loading;
        private final DistributionSummary prefill;
        private final DistributionSummary decode;
        private final DistributionSummary rate;
        private final Counter promptTokens;
        private final Counter cachedTokens;
        private final Counter completionTokens;
        private final Counter bytes;
        private final ConcurrentMap<Ending, Counter> endings = new ConcurrentHashMap<>();

        Meters(Line line) {
            this.line = line;
            this.tags = Tags.of("slot", line.slot(), "model", line.model(), "route", line.route());
            this.total = histogram("hal0_request_seconds", SECONDS, tags);
            this.firstContent = histogram("hal0_request_first_content_seconds", SECONDS, tags);
            this.queued = histogram("hal0_request_queue_seconds", SECONDS, tags);
            this.loading = histogram("hal0_request_load_seconds", SECONDS, tags);
            this.prefill = histogram("hal0_request_prefill_seconds", SECONDS, tags);
            this.decode = histogram("hal0_request_decode_seconds", SECONDS, tags);
            this.rate = histogram("hal0_request_decode_tokens_per_second", TOKENS_PER_SECOND, tags);
            this.promptTokens = counter("hal0_prompt_tokens_total", tags);
            this.cachedTokens = counter("hal0_cached_prompt_tokens_total", tags);
            this.completionTokens = counter("hal0_completion_tokens_total", tags);
            this.bytes = counter("hal0_response_bytes_total", tags);
        }

        void ended(Accounting.Ended exchange, Outcome outcome) {
            endings.computeIfAbsent(new Ending(exchange.status(), outcome), this::ending)
                    .increment();
            total.record(seconds(exchange.total()));
            exchange.firstContent().ifPresent(time -> firstContent.record(seconds(time)));
            recordIfAny(queued, exchange.queued());
            recordIfAny(loading, exchange.loading());
            figures(exchange.figures());
            bytes.increment(exchange.bytes());
        }

        private void figures(EngineFigures figures) {
            recordIfKnown(prefill, figures.prefillMillis());
            recordIfKnown(decode, figures.decodeMillis());
            addIfKnown(promptTokens, figures.promptTokens());
            addIfKnown(cachedTokens, figures.cachedTokens());
            addIfKnown(completionTokens, figures.completionTokens());
            Long tokens = figures.completionTokens();
            Double decoding = figures.decodeMillis();
            if (tokens != null && decoding != null && decoding > 0) {
                rate.record(tokens * 1_000 / decoding);
            }
        }

        private Counter ending(Ending ending) {
            return counter(
                    "hal0_requests_total",
                    tags.and(
                            "status",
                            Integer.toString(ending.status()),
                            "outcome",
                            ending.outcome().label()));
        }
    }

    private final String version;
    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final ConcurrentMap<Line, Meters> lines = new ConcurrentHashMap<>();
    private final Map<String, MultiGauge> gauges = new HashMap<>();

    Metrics(String version) {
        this.version = version;
    }

    /** On an event loop. */
    void ended(Accounting.Ended exchange, Outcome outcome) {
        Meters meters = meters(new Line(
                exchange.slot().map(SlotName::value).orElse(NONE),
                exchange.model().orElse(NONE),
                exchange.route()));
        meters.ended(exchange, outcome);
        String slot = meters.line.slot();
        switch (outcome) {
            case COMPLETE -> {}
            case CLIENT_GONE ->
                counter("hal0_requests_cancelled_total", Tags.of("slot", slot, "by", "client"))
                        .increment();
            case CANCELLED ->
                counter("hal0_requests_cancelled_total", Tags.of("slot", slot, "by", "operator"))
                        .increment();
            case ENGINE_LOST, FAILED, TIME_LIMIT ->
                counter("hal0_engine_errors_total", Tags.of("slot", slot, "code", code(exchange)))
                        .increment();
            case REVOKED, REFUSED -> {}
        }
        if (outcome != Outcome.COMPLETE && outcome != Outcome.CLIENT_GONE) {
            counter("hal0_request_errors_total", Tags.of("slot", slot, "code", code(exchange)))
                    .increment();
        }
    }

    private static String code(Accounting.Ended exchange) {
        return exchange.errorCode().orElse(NONE);
    }

    private Meters meters(Line line) {
        Meters known = lines.get(line);
        if (known != null) {
            return known;
        }
        Line counted = lines.size() < MOST_LINES ? line : new Line(OTHER, OTHER, line.route());
        return lines.computeIfAbsent(counted, Meters::new);
    }

    void transition(SlotName slot, SlotEdge edge, CauseCode cause) {
        counter(
                        "hal0_slot_transitions_total",
                        Tags.of("slot", slot.value(), "edge", edge.label(), "cause", cause.label()))
                .increment();
    }

    void revoked(SlotName slot, RevokeCause cause, int cut) {
        counter("hal0_slot_revoked_requests_total", Tags.of("slot", slot.value(), "cause", cause.label()))
                .increment(cut);
    }

    void operation(Operation operation) {
        if (operation.endedAt() == null) {
            return;
        }
        String slot = operation.slot().value();
        counter(
                        "hal0_slot_operations_total",
                        Tags.of(
                                "slot",
                                slot,
                                "kind",
                                operation.kind().label(),
                                "status",
                                operation.status().label()))
                .increment();
        if (operation.kind() == Operation.Kind.LOAD && operation.status() == Operation.Status.SUCCEEDED) {
            histogram("hal0_slot_load_seconds", SECONDS, Tags.of("slot", slot))
                    .record(seconds(Duration.between(operation.startedAt(), operation.endedAt())));
        }
    }

    /** Everything, as Prometheus reads it. */
    synchronized String scrape(Now now) {
        slots(now.slots());
        inFlight(now.inFlight());
        rows("hal0_memory_budget_bytes", pools(now.budgetBytes()));
        rows("hal0_memory_free_bytes", pools(now.freeBytes()));
        boolean writing = now.journal().state() == JournalStatus.State.OPEN
                || now.journal().state() == JournalStatus.State.OPENING;
        rows("hal0_journal_up", List.of(row(writing ? 1 : 0)));
        rows("hal0_journal_queued_rows", List.of(row(now.journal().queued())));
        long ready = now.slots().stream()
                .filter(slot -> slot.state().isDispatchable())
                .count();
        JournalStatus.Dropped dropped = now.journal().dropped();
        // The registry takes _total and _info off a gauge's name, and knows no counter that somebody else has counted.
        return registry.scrape()
                + sample("hal0_build_info", "gauge", Map.of("{version=\"" + version + "\"}", 1L))
                + sample("hal0_slots_ready_total", "gauge", Map.of("", ready))
                + sample(
                        "hal0_journal_written_rows_total",
                        "counter",
                        Map.of("", now.journal().written()))
                + sample(
                        "hal0_journal_dropped_rows_total",
                        "counter",
                        Map.of(
                                "{reason=\"overflow\"}", dropped.overflow(),
                                "{reason=\"storage\"}", dropped.storage(),
                                "{reason=\"invalid\"}", dropped.invalid(),
                                "{reason=\"late\"}", dropped.late()));
    }

    private void slots(List<SlotView> slots) {
        var up = new ArrayList<MultiGauge.Row<?>>();
        var states = new ArrayList<MultiGauge.Row<?>>();
        var inside = new ArrayList<MultiGauge.Row<?>>();
        var permits = new ArrayList<MultiGauge.Row<?>>();
        var waiting = new ArrayList<MultiGauge.Row<?>>();
        var memory = new ArrayList<MultiGauge.Row<?>>();
        var failures = new ArrayList<MultiGauge.Row<?>>();
        for (SlotView slot : slots) {
            String name = slot.name().value();
            up.add(row(slot.state().isDispatchable() ? 1 : 0, "slot", name));
            for (SlotState state : SlotState.values()) {
                states.add(row(slot.state() == state ? 1 : 0, "slot", name, "state", state.label()));
            }
            inside.add(row(slot.inside(), "slot", name));
            permits.add(row(slot.permits(), "slot", name));
            waiting.add(row(slot.waiting(), "slot", name));
            failures.add(row(slot.failures(), "slot", name));
            Long bytes = slot.memoryBytes();
            if (bytes != null) {
                memory.add(row(bytes, "slot", name));
            }
        }
        rows("hal0_slot_up", up);
        rows("hal0_slot_state", states);
        rows("hal0_slot_inside", inside);
        rows("hal0_slot_permits", permits);
        rows("hal0_slot_waiting", waiting);
        rows("hal0_slot_memory_bytes", memory);
        rows("hal0_slot_failures", failures);
    }

    private void inFlight(List<InFlight> requests) {
        var counts = new HashMap<Tags, Integer>();
        for (InFlight request : requests) {
            String slot = request.slot().map(SlotName::value).orElse(NONE);
            counts.merge(Tags.of("slot", slot, "phase", request.phase()), 1, Integer::sum);
        }
        var rows = new ArrayList<MultiGauge.Row<?>>();
        counts.forEach((tags, count) -> rows.add(MultiGauge.Row.of(tags, count)));
        rows("hal0_requests_in_flight", rows);
    }

    private static List<MultiGauge.Row<?>> pools(Map<String, Long> bytes) {
        var rows = new ArrayList<MultiGauge.Row<?>>();
        bytes.forEach((pool, size) -> rows.add(row(size, "pool", pool)));
        return rows;
    }

    private static MultiGauge.Row<Number> row(Number value, String... labels) {
        return MultiGauge.Row.of(Tags.of(labels), value);
    }

    private void rows(String name, List<? extends MultiGauge.Row<?>> rows) {
        gauges.computeIfAbsent(
                        name,
                        ignored -> MultiGauge.builder(name)
                                .description(MetricsCatalogue.meaning(name))
                                .register(registry))
                .register(rows, true);
    }

    private Counter counter(String name, Tags tags) {
        return Counter.builder(name)
                .description(MetricsCatalogue.meaning(name))
                .tags(tags)
                .register(registry);
    }

    private DistributionSummary histogram(String name, double[] buckets, Tags tags) {
        return DistributionSummary.builder(name)
                .description(MetricsCatalogue.meaning(name))
                .serviceLevelObjectives(buckets)
                .tags(tags)
                .register(registry);
    }

    private static String sample(String name, String type, Map<String, Long> values) {
        var text = new StringBuilder(
                "# HELP " + name + " " + MetricsCatalogue.meaning(name) + "\n# TYPE " + name + " " + type + "\n");
        values.entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .forEach(value -> text.append(name)
                        .append(value.getKey())
                        .append(' ')
                        .append(value.getValue())
                        .append('\n'));
        return text.toString();
    }

    private static double seconds(Duration time) {
        return time.toNanos() / 1e9;
    }

    private static void recordIfAny(DistributionSummary summary, Duration time) {
        if (!time.isZero()) {
            summary.record(seconds(time));
        }
    }

    private static void recordIfKnown(DistributionSummary summary, @Nullable Double millis) {
        if (millis != null) {
            summary.record(millis / 1_000);
        }
    }

    private static void addIfKnown(Counter counter, @Nullable Long count) {
        if (count != null) {
            counter.increment(count);
        }
    }
}
