package dev.hal0.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hal0.gateway.Accounting;
import dev.hal0.gateway.EngineFigures;
import dev.hal0.gateway.InFlight;
import dev.hal0.journal.JournalStatus;
import dev.hal0.journal.Outcome;
import dev.hal0.kernel.Json;
import dev.hal0.kernel.SlotName;
import dev.hal0.slots.CauseCode;
import dev.hal0.slots.Device;
import dev.hal0.slots.Operation;
import dev.hal0.slots.OperationId;
import dev.hal0.slots.Priority;
import dev.hal0.slots.RevokeCause;
import dev.hal0.slots.SlotEdge;
import dev.hal0.slots.SlotState;
import dev.hal0.slots.SlotType;
import dev.hal0.slots.SlotView;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/**
 * What is exported is what the catalogue says, and {@code docs/metrics.md} and the Grafana dashboard name nothing else. After a
 * change of the catalogue: run this with {@code -Dhal0.write-docs=true}.
 */
class MetricsTest {
    private static final SlotName CHAT = new SlotName("chat");
    private static final Pattern SAMPLE = Pattern.compile("(?m)^(hal0_\\w+)(?:\\{(.*)})? (\\S+)$");

    private final Metrics metrics = new Metrics("1.2.3");

    @Test
    void everySeriesOfTheCatalogue_isExportedWithItsTypeAndLabels() {
        everythingHappens();
        String text = scrape(SlotState.SERVING);

        var types = new TreeMap<String, String>();
        text.lines().filter(line -> line.startsWith("# TYPE ")).forEach(line -> {
            String[] words = line.split(" ");
            assertThat(types.put(words[2], words[3])).as("told twice").isNull();
        });
        var expected = new TreeMap<String, String>();
        MetricsCatalogue.ALL.forEach(series -> expected.put(series.name(), series.type()));
        // The registry writes the largest value beside each summary; nobody is promised that.
        types.keySet().removeIf(name -> name.endsWith("_max"));
        assertThat(types).isEqualTo(expected);
        for (MetricsCatalogue.Series series : MetricsCatalogue.ALL) {
            Set<String> labels = labels(text, series.name());
            labels.remove("le");
            assertThat(labels).as(series.name()).isEqualTo(new TreeSet<>(series.labels()));
        }
    }

    /** Of the reference only the current state was exported, so that a state that ended stayed at 1 in every graph. */
    @Test
    void slotState_isToldForEveryState() {
        String text = scrape(SlotState.IDLE);

        for (SlotState state : SlotState.values()) {
            assertThat(text)
                    .contains("hal0_slot_state{slot=\"chat\",state=\"" + state.label() + "\"} "
                            + (state == SlotState.IDLE ? "1" : "0"));
        }
        assertThat(text).contains("hal0_slot_up{slot=\"chat\"} 1", "hal0_slots_ready_total 1");
        assertThat(scrape(SlotState.ERROR)).contains("hal0_slot_up{slot=\"chat\"} 0", "hal0_slots_ready_total 0");
    }

    @Test
    void slotThatIsGone_isNotToldAnyMore() {
        scrape(SlotState.READY);

        assertThat(metrics.scrape(now(List.of()))).doesNotContain("hal0_slot_up{");
    }

    @Test
    void namesThatClientsMakeUp_areNoLabels() {
        for (int i = 0; i < 100; i++) {
            metrics.ended(
                    ended(
                            "made-up-" + i,
                            Optional.empty(),
                            Optional.empty(),
                            EngineFigures.UNKNOWN,
                            "dispatch.no_route"),
                    Outcome.REFUSED);
        }

        assertThat(scrape(SlotState.READY))
                .doesNotContain("made-up")
                .contains("hal0_requests_total{model=\"none\",outcome=\"refused\",route=\"/v1/chat/completions\","
                        + "slot=\"none\",status=\"404\"} 100");
    }

    @Test
    void moreModelsThanAnyBoxHas_areCountedTogether() {
        for (int i = 0; i < Metrics.MOST_LINES + 10; i++) {
            metrics.ended(
                    ended("m", Optional.of(CHAT), Optional.of("model-" + i), EngineFigures.UNKNOWN, ""),
                    Outcome.COMPLETE);
        }

        assertThat(scrape(SlotState.READY))
                .contains("hal0_requests_total{model=\"other\",outcome=\"complete\",route=\"/v1/chat/completions\","
                        + "slot=\"other\",status=\"200\"} 10");
    }

    /** An unknown count is no 0: an average over both would be a lie. */
    @Test
    void figuresThatTheEngineDidNotTell_areNotCounted() {
        metrics.ended(ended("m", Optional.of(CHAT), Optional.of("tiny"), EngineFigures.UNKNOWN, ""), Outcome.COMPLETE);

        assertThat(scrape(SlotState.READY))
                .contains("hal0_request_decode_seconds_count{model=\"tiny\",route=\"/v1/chat/completions\","
                        + "slot=\"chat\"} 0");
    }

    @Test
    void document_isTheCatalogue() throws IOException {
        Path file = Path.of("..", "docs", "metrics.md");
        var text = new StringBuilder("""
                # Metrics

                `GET /metrics` (and `/api/metrics/prometheus`), in the text format of Prometheus. Generated from
                `MetricsCatalogue`; edit that. `packaging/grafana/hal0.json` is a dashboard for them.

                Labels are slots, models that were resolved, routes of the route table and words of hal0's own: never what a
                client wrote. `none` stands for requests that were refused before a slot was known. What an engine does not
                tell is not counted, and never counted as 0.

                | Series | Type | Labels | |
                |---|---|---|---|
                """);
        for (MetricsCatalogue.Series series : MetricsCatalogue.ALL) {
            text.append("| `")
                    .append(series.name())
                    .append("` | ")
                    .append(series.type())
                    .append(" | ")
                    .append(String.join(", ", series.labels()))
                    .append(" | ")
                    .append(series.meaning())
                    .append(" |\n");
        }
        if (Boolean.getBoolean("hal0.write-docs")) {
            Files.writeString(file, text);
        }
        assertThat(file).content().isEqualTo(text.toString());
    }

    @Test
    void dashboard_asksForNothingThatIsNotExported() throws IOException {
        everythingHappens();
        var exported = new TreeSet<String>();
        var samples = SAMPLE.matcher(scrape(SlotState.SERVING));
        while (samples.find()) {
            exported.add(samples.group(1));
        }
        JsonNode dashboard =
                Json.LENIENT.readTree(Files.readString(Path.of("..", "packaging", "grafana", "hal0.json")));

        var asked = new TreeSet<String>();
        dashboard.findValuesAsString("expr").forEach(expression -> {
            var names = Pattern.compile("hal0_\\w+").matcher(expression);
            while (names.find()) {
                asked.add(names.group());
            }
        });

        assertThat(asked).hasSizeGreaterThan(10);
        assertThat(exported).containsAll(asked);
    }

    private void everythingHappens() {
        var figures = new EngineFigures(10L, 5L, 2L, 20.0, 50.0);
        metrics.ended(ended("m", Optional.of(CHAT), Optional.of("tiny"), figures, ""), Outcome.COMPLETE);
        metrics.ended(
                ended("m", Optional.of(CHAT), Optional.of("tiny"), figures, "client_closed"), Outcome.CLIENT_GONE);
        metrics.ended(
                ended("m", Optional.of(CHAT), Optional.of("tiny"), figures, "dispatch.upstream_failed"),
                Outcome.FAILED);
        metrics.transition(CHAT, SlotEdge.START, CauseCode.values()[0]);
        metrics.revoked(CHAT, RevokeCause.OPERATOR_FORCE, 2);
        metrics.operation(new Operation(
                new OperationId("op-1"),
                Operation.Kind.LOAD,
                CHAT,
                Operation.Status.SUCCEEDED,
                "",
                Instant.EPOCH,
                Instant.EPOCH.plusSeconds(3),
                null));
    }

    private String scrape(SlotState state) {
        return metrics.scrape(now(List.of(slot(state))));
    }

    private static Metrics.Now now(List<SlotView> slots) {
        var running = new InFlight(
                "r",
                "/v1/chat/completions",
                "127.0.0.1",
                Priority.INTERACTIVE,
                Optional.of("made-up"),
                Optional.of(CHAT),
                Optional.of("tiny"),
                "decoding",
                0,
                true,
                Instant.EPOCH,
                1,
                10);
        return new Metrics.Now(
                slots,
                List.of(running),
                new JournalStatus(
                        Path.of("journal.db"),
                        JournalStatus.State.OPEN,
                        null,
                        7,
                        0,
                        new JournalStatus.Dropped(1, 2, 3, 4)),
                Map.of("ram", 100L),
                Map.of("ram", 50L));
    }

    private static SlotView slot(SlotState state) {
        return new SlotView(
                CHAT,
                SlotType.LLM,
                Device.CPU,
                true,
                true,
                8081,
                "tiny",
                state,
                CauseCode.values()[0],
                "",
                Instant.EPOCH,
                "llama.cpp",
                "process",
                false,
                null,
                0,
                null,
                null,
                1,
                1,
                0,
                1_000L,
                null,
                List.of(),
                null);
    }

    private static Accounting.Ended ended(
            String asked, Optional<SlotName> slot, Optional<String> model, EngineFigures figures, String errorCode) {
        return new Accounting.Ended(
                "r",
                "/v1/chat/completions",
                "127.0.0.1",
                Priority.INTERACTIVE,
                Optional.of(asked),
                slot,
                model,
                true,
                errorCode.equals("dispatch.no_route") ? 404 : 200,
                Optional.of(errorCode).filter(code -> !code.isEmpty()),
                Duration.ofMillis(5),
                Duration.ofMillis(5),
                Optional.of(Duration.ofMillis(20)),
                Optional.of(Duration.ofMillis(25)),
                Duration.ofMillis(100),
                figures,
                10,
                100);
    }

    private static Set<String> labels(String text, String series) {
        var pattern = Pattern.compile("(?m)^" + series + "(?:_bucket|_count|_sum)?(?:\\{(.*)})? \\S+$");
        var labels = new TreeSet<String>();
        var samples = pattern.matcher(text);
        while (samples.find()) {
            String given = samples.group(1);
            if (given != null) {
                Pattern.compile("(\\w+)=\"").matcher(given).results().forEach(label -> labels.add(label.group(1)));
            }
        }
        return labels;
    }
}
