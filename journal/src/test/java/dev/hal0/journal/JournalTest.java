package dev.hal0.journal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hal0.journal.JournalStatus.State;
import dev.hal0.journal.RequestRow.Timings;
import dev.hal0.journal.RequestRow.Tokens;
import dev.hal0.kernel.Event;
import dev.hal0.kernel.Json;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

@Timeout(60)
class JournalTest {
    private static final Duration LONG = Duration.ofSeconds(30);
    private static final InstantSource CLOCK = InstantSource.fixed(Rows.NOW);

    @TempDir
    Path folder;

    private Journal journal;

    @BeforeEach
    void open() {
        journal = new Journal(folder.resolve("lib/journal.db"), CLOCK);
    }

    @AfterEach
    void close() {
        journal.close();
    }

    @Test
    void requestOfWhichAllIsKnown_comesBackEqual() throws Exception {
        RequestRow row = Rows.request("r-1");
        record(row);

        assertThat(requests(RequestFilter.ANY)).containsExactly(row);
    }

    @Test
    void requestOfWhichNothingIsKnown_comesBackWithNulls() throws Exception {
        var row = new RequestRow(
                "r-1",
                Rows.NOW,
                "/v1/chat/completions",
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                false,
                Tokens.UNKNOWN,
                Timings.UNKNOWN,
                null,
                null,
                null,
                Outcome.CLIENT_GONE);
        record(row);

        assertThat(requests(RequestFilter.ANY)).containsExactly(row);
    }

    @Test
    void eventOfTheBus_comesBackAsJson() throws Exception {
        var event = new Event("k1-7", Rows.NOW, "slot.state", "chat", Map.of("to", "ready", "at", Rows.NOW));
        record(EventRow.of(event));

        EventRow read =
                journal.events(EventFilter.ANY, Paging.newest(10)).get().rows().getFirst();

        assertThat(read.payload()).isInstanceOf(JsonNode.class);
        assertThat(Json.STRICT.writeValueAsString(read.payload())).contains("\"at\":\"2026-11-22T10:00:00Z\"");
        assertThat(read.id()).isEqualTo("k1-7");
        assertThat(read.at()).isEqualTo(Rows.NOW);
    }

    @Test
    void operationThatEnds_replacesItsBeginning() throws Exception {
        record(Rows.running("op-1"), Rows.running("op-2"), Rows.failed("op-1"));

        List<OperationRow> read =
                journal.operations("chat", Paging.newest(10)).get().rows();

        assertThat(read).extracting(OperationRow::id).containsExactly("op-2", "op-1");
        assertThat(read.getLast().details()).hasToString("{\"exit\":1}");
        assertThat(read.getLast())
                .usingRecursiveComparison()
                .ignoringFields("details")
                .isEqualTo(Rows.failed("op-1"));
    }

    @Test
    void lateBeginning_doesNotReplaceTheEnd() throws Exception {
        record(Rows.failed("op-1"), Rows.running("op-1"));

        assertThat(journal.operations(null, Paging.newest(10)).get().rows())
                .extracting(OperationRow::state)
                .containsExactly("failed");
    }

    @Test
    void operationThatWasRunningAtTheEndOfALife_isAbandonedInTheNext() throws Exception {
        record(Rows.running("op-1"), Rows.failed("op-2"));
        journal.close();

        journal = new Journal(folder.resolve("lib/journal.db"), InstantSource.fixed(Rows.NOW.plusSeconds(60)));

        assertThat(journal.operations(null, Paging.newest(10)).get().rows())
                .extracting(OperationRow::state)
                .containsExactly("failed", OperationRow.ABANDONED);
    }

    @Test
    void twoHundredRecorders_loseNothing() throws Exception {
        int recorders = 200;
        int each = 40;
        var barrier = new CyclicBarrier(recorders);
        var ended = new ArrayList<Future<?>>();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < recorders; i++) {
                int recorder = i;
                ended.add(threads.submit(() -> {
                    barrier.await();
                    for (int n = 0; n < each; n++) {
                        journal.record(Rows.request(recorder + "-" + n));
                    }
                    return null;
                }));
            }
            for (Future<?> end : ended) {
                end.get();
            }
        }
        assertThat(journal.flush(LONG)).isTrue();

        assertThat(journal.status().dropped().total()).isZero();
        assertThat(journal.status().written()).isEqualTo(recorders * each);
        assertThat(count("SELECT count(DISTINCT id) FROM requests")).isEqualTo(recorders * each);
    }

    @Test
    void moreThanTheQueueHolds_isCountedToTheLastRow() throws Exception {
        int recorded = 50_000;
        var small = new JournalSettings(
                50,
                LONG,
                JournalSettings.DEFAULTS.requests(),
                JournalSettings.DEFAULTS.operations(),
                JournalSettings.DEFAULTS.transitions(),
                JournalSettings.DEFAULTS.events());
        try (var narrow = new Journal(folder.resolve("narrow.db"), small, CLOCK)) {
            for (int i = 0; i < recorded; i++) {
                narrow.record(Rows.request("r-" + i));
            }
            narrow.record(Rows.failed("op-1"));
            assertThat(narrow.flush(LONG)).isTrue();

            JournalStatus status = narrow.status();
            assertThat(status.dropped().overflow()).isPositive();
            assertThat(status.written() + status.dropped().overflow()).isEqualTo(recorded + 1);
            assertThat(narrow.operations(null, Paging.newest(10)).get().rows()).hasSize(1);
        }
    }

    @Test
    void payloadThatIsNotJson_costsItsOwnRowOnly() throws Exception {
        record(
                Rows.event("before"),
                new EventRow("broken", Rows.NOW, "slot.state", "chat", new Broken()),
                new EventRow("endless", Rows.NOW, "slot.state", "chat", endless()),
                Rows.event("after"));

        assertThat(events(EventFilter.ANY)).containsExactly("after", "before");
        assertThat(journal.status().dropped().invalid()).isEqualTo(2);
        assertThat(journal.status().written()).isEqualTo(2);
        assertThat(journal.status().state()).isEqualTo(State.OPEN);
    }

    @Test
    void longTexts_areCut() throws Exception {
        record(
                Rows.request("x".repeat(100_000)),
                new EventRow("1", Rows.NOW, "slot.state", "chat", "y".repeat(100_000)));

        assertThat(requests(RequestFilter.ANY).getFirst().id()).hasSize(RowWriter.LONGEST_NAME);
        assertThat(journal.events(EventFilter.ANY, Paging.newest(1))
                        .get()
                        .rows()
                        .getFirst()
                        .payload())
                .hasToString("{\"left_out_chars\":100002}");
    }

    @Test
    void rowAfterTheEnd_isCountedAndForgotten() {
        journal.close();

        journal.record(Rows.request("late"));

        assertThat(journal.status().state()).isEqualTo(State.CLOSED);
        assertThat(journal.status().dropped().late()).isEqualTo(1);
        assertThat(journal.requests(RequestFilter.ANY, Paging.newest(1))).failsWithin(LONG);
        journal.close();
    }

    @Test
    void closing_writesWhatWasQueued() throws Exception {
        for (int i = 0; i < 1_200; i++) {
            journal.record(Rows.request("r-" + i));
        }
        journal.close();
        open();

        assertThat(count("SELECT count(*) FROM requests")).isEqualTo(1_200);
    }

    @Test
    void file_isForItsOwnerOnly() throws Exception {
        record(Rows.request("r-1"));

        try (var files = Files.list(folder.resolve("lib"))) {
            assertThat(files.toList())
                    .allSatisfy(file -> assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                            .isEqualTo("rw-------"));
        }
    }

    @Test
    void urgentRow_isWritten() throws Exception {
        journal.recordAtOnce(Rows.failed("op-1"));
        assertThat(journal.flush(LONG)).isTrue();

        assertThat(journal.operations(null, Paging.newest(1)).get().rows()).hasSize(1);
    }

    static final class Broken {
        public String getState() {
            throw new IllegalStateException("not now");
        }
    }

    private static List<Object> endless() {
        var list = new ArrayList<Object>();
        list.add(list);
        return list;
    }

    private void record(JournalRow... rows) throws InterruptedException {
        for (JournalRow row : rows) {
            journal.record(row);
        }
        assertThat(journal.flush(LONG)).isTrue();
    }

    private List<RequestRow> requests(RequestFilter filter) throws Exception {
        return journal.requests(filter, Paging.newest(1000)).get().rows();
    }

    private List<String> events(EventFilter filter) throws Exception {
        return journal.events(filter, Paging.newest(1000)).get().rows().stream()
                .map(EventRow::id)
                .toList();
    }

    private long count(String sql) throws Exception {
        return journal.ask(connection -> Schema.number(connection, sql)).get();
    }
}
