package dev.hal0.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.hal0.kernel.Hal0Exception;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class JournalQueryTest {
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
    void eventKind_findsWhatIsBeneathAndNothingBeside() throws Exception {
        record(
                Rows.event("1", "slot", "chat"),
                Rows.event("2", "slot.state", "chat"),
                Rows.event("3", "slots.state", "chat"),
                Rows.event("4", "slot.state", "embed"),
                Rows.event("5", "model", "chat"));

        assertThat(events(new EventFilter("slot", null, null, null))).containsExactly("4", "2", "1");
        assertThat(events(new EventFilter("slot", "chat", null, null))).containsExactly("2", "1");
        assertThat(events(new EventFilter(null, null, Rows.NOW.plusMillis(1), null)))
                .isEmpty();
        assertThat(events(new EventFilter(null, null, null, Rows.NOW))).isEmpty();
    }

    @Test
    void transitions_areOfTheSlotAskedFor() throws Exception {
        record(
                Rows.transition("chat", "starting"),
                Rows.transition("embed", "ready"),
                Rows.transition("chat", "ready"));

        assertThat(journal.transitions("chat", Paging.newest(10)).get().rows())
                .containsExactly(Rows.transition("chat", "ready"), Rows.transition("chat", "starting"));
        assertThat(journal.transitions(null, Paging.newest(10)).get().rows()).hasSize(3);
    }

    @Test
    void requestFilters_restrictAndCombine() throws Exception {
        record(
                Rows.request("a", Rows.NOW.minusSeconds(60), "chat", 200, Outcome.COMPLETE),
                Rows.request("b", Rows.NOW, "chat", 503, Outcome.REFUSED),
                Rows.request("c_1", Rows.NOW, "embed", 502, Outcome.ENGINE_LOST),
                Rows.request("c%1", Rows.NOW, "embed", 200, Outcome.CLIENT_GONE));

        assertThat(found(where -> where.slot("chat"))).containsExactly("b", "a");
        assertThat(found(where -> where.statusClass(5))).containsExactly("c_1", "b");
        assertThat(found(where -> where.outcome(Outcome.ENGINE_LOST))).containsExactly("c_1");
        assertThat(found(where -> where.since(Rows.NOW))).containsExactly("c%1", "c_1", "b");
        assertThat(found(where -> where.until(Rows.NOW))).containsExactly("a");
        assertThat(found(where -> where.text("C%1"))).containsExactly("c%1");
        assertThat(found(where -> where.text("c_1"))).containsExactly("c_1");
        assertThat(found(where -> where.text("QWEN3"))).hasSize(4);
        assertThat(found(where -> where.caller("key-2"))).isEmpty();
        assertThat(found(where -> where.model("qwen3-8b-q4").slot("embed").statusClass(2)))
                .containsExactly("c%1");
        assertThat(found(where -> where.text("'; DROP TABLE requests; --"))).isEmpty();
    }

    @Test
    void pages_neitherRepeatNorMissARowWhileRowsCome() throws Exception {
        var recorded = new ArrayList<String>();
        for (int i = 0; i < 25; i++) {
            recorded.addFirst("r-" + i);
            journal.record(Rows.request("r-" + i));
        }
        assertThat(journal.flush(LONG)).isTrue();

        var read = new ArrayList<String>();
        Long before = null;
        do {
            var page =
                    journal.requests(RequestFilter.ANY, new Paging(before, 10)).get();
            page.rows().forEach(row -> read.add(row.id()));
            before = page.next();
            record(Rows.request("later"));
        } while (before != null);

        assertThat(read).isEqualTo(recorded);
    }

    @Test
    void limitOutOfBounds_isRefused() {
        assertThatThrownBy(() -> Paging.newest(1001)).isInstanceOf(Hal0Exception.class);
        assertThatThrownBy(() -> Paging.newest(0)).isInstanceOf(Hal0Exception.class);
    }

    @Test
    void sameRequestIdTwice_bothAreKept() throws Exception {
        record(Rows.request("mine"), Rows.request("mine"), Rows.request("other"));

        assertThat(requests(RequestFilter.where().id("mine").build())).hasSize(2);
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

    private List<String> found(Function<RequestFilter.Builder, RequestFilter.Builder> filter) throws Exception {
        return requests(filter.apply(RequestFilter.where()).build()).stream()
                .map(RequestRow::id)
                .toList();
    }

    private List<String> events(EventFilter filter) throws Exception {
        return journal.events(filter, Paging.newest(1000)).get().rows().stream()
                .map(EventRow::id)
                .toList();
    }
}
