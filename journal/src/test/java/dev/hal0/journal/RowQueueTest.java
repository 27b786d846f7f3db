package dev.hal0.journal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hal0.journal.RowQueue.Batch;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class RowQueueTest {
    private static final Duration LONG = Duration.ofMinutes(10);

    private final RowQueue queue = new RowQueue(3, 2);

    @Test
    void rowsOfAllKinds_comeOutInTheOrderTheyCame() throws InterruptedException {
        JournalRow operation = Rows.running("op-1");
        JournalRow request = Rows.request("r-1");
        JournalRow event = Rows.event("e-1");
        List.of(request, operation, event).forEach(row -> queue.add(row, false));

        assertThat(take().rows()).containsExactly(request, operation);
        assertThat(take().rows()).containsExactly(event);
    }

    @Test
    void overflow_dropsTheOldestRequest() throws InterruptedException {
        JournalRow operation = Rows.running("op-1");
        JournalRow newer = Rows.request("r-2");
        JournalRow transition = Rows.transition("chat", "ready");
        List.of(operation, Rows.request("r-1"), newer, transition).forEach(row -> queue.add(row, false));

        assertThat(take().rows()).containsExactly(operation, newer);
        assertThat(take().rows()).containsExactly(transition);
        assertThat(queue.overflowed()).isEqualTo(1);
    }

    @Test
    void overflowOfWorthyRows_dropsTheNewRequest() throws InterruptedException {
        var operations = List.of(Rows.running("op-1"), Rows.running("op-2"), Rows.running("op-3"));
        operations.forEach(row -> queue.add(row, false));

        queue.add(Rows.request("r-1"), false);

        assertThat(take().rows()).isEqualTo(operations.subList(0, 2));
        assertThat(take().rows()).isEqualTo(operations.subList(2, 3));
        assertThat(queue.overflowed()).isEqualTo(1);
    }

    @Test
    void overflowOfOperationsOnly_dropsTheOldest() throws InterruptedException {
        for (int i = 1; i <= 5; i++) {
            queue.add(Rows.running("op-" + i), false);
        }

        assertThat(take().rows()).containsExactly(Rows.running("op-3"), Rows.running("op-4"));
        assertThat(queue.size()).isEqualTo(1);
        assertThat(queue.overflowed()).isEqualTo(2);
    }

    @Test
    void rest_endsForWhoeverCannotWait() throws InterruptedException {
        queue.add(Rows.running("op-1"), true);

        queue.rest(LONG);

        assertThat(take().rows()).hasSize(1);
    }

    @Test
    void urgentRow_isNotGathered() throws InterruptedException {
        queue.add(Rows.running("op-1"), true);

        Batch batch = queue.take(LONG, LONG);

        assertThat(batch.rows()).hasSize(1);
        assertThat(batch.urgent()).isTrue();
    }

    @Test
    void fullBatch_isNotGathered() throws InterruptedException {
        queue.add(Rows.request("r-1"), false);
        queue.add(Rows.request("r-2"), false);

        assertThat(queue.take(LONG, LONG).rows()).hasSize(2);
    }

    @Test
    void flush_waitsForWhatCameBeforeOnly() throws Exception {
        queue.add(Rows.request("r-1"), false);
        assertThat(queue.awaitSettled(Duration.ZERO)).isFalse();
        var flushed = CompletableFuture.supplyAsync(() -> {
            try {
                return queue.awaitSettled(LONG);
            } catch (InterruptedException stopped) {
                throw new IllegalStateException(stopped);
            }
        });
        Batch batch = queue.take(LONG, LONG);
        queue.add(Rows.request("r-2"), false);

        assertThat(flushed).isNotDone();
        queue.settled(batch);

        // The other thread may have asked after r-2 came: then it waits for that one too.
        queue.settled(queue.take(LONG, Duration.ZERO));
        assertThat(flushed.get()).isTrue();
    }

    @Test
    void flushOfAnEmptyQueue_isImmediate() throws InterruptedException {
        assertThat(queue.awaitSettled(Duration.ZERO)).isTrue();
    }

    @Test
    void closedQueue_handsOutTheRestAndCountsTheLate() throws InterruptedException {
        queue.add(Rows.request("r-1"), false);
        queue.close();
        queue.add(Rows.request("r-2"), false);

        Batch batch = queue.take(LONG, LONG);

        assertThat(batch.rows()).containsExactly(Rows.request("r-1"));
        assertThat(batch.last()).isTrue();
        assertThat(queue.late()).isEqualTo(1);
    }

    @Test
    void idleTaker_returnsEmptyHanded() throws InterruptedException {
        assertThat(take().rows()).isEmpty();
    }

    private Batch take() throws InterruptedException {
        return queue.take(Duration.ZERO, Duration.ZERO);
    }
}
