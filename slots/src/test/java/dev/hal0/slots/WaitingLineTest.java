package dev.hal0.slots;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Optional;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class WaitingLineTest {
    /** A place that knows whose it is. */
    private record Waiter(int number, Claim claim) {}

    private final WaitingLine<String> line = new WaitingLine<>(100);

    @Test
    void callers_takeTurns() {
        watching("greedy", "g1", "g2", "g3");
        watching("modest", "m1");

        assertThat(line.inOrder()).containsExactly("g1", "m1", "g2", "g3");
    }

    @Test
    void whoWatches_comesBeforeBatchWork() {
        batch("b1", "b2");
        watching("person", "p1", "p2");

        assertThat(line.inOrder()).containsExactly("p1", "p2", "b1", "b2");
    }

    @Test
    void overtakenBatchWork_getsATurnInTheEnd() {
        batch("b1");
        for (int i = 0; i < 20; i++) {
            watching("person", "p" + i);
        }

        assertThat(line.inOrder().indexOf("b1")).isEqualTo(WaitingLine.MOST_OVERTAKEN);
    }

    @Test
    void fullLine_givesBatchWorkAwayToWhoWatches() {
        var small = new WaitingLine<String>(1);
        small.add("b", new Claim("x", Priority.BATCH));

        assertThat(small.makeRoom(new Claim("x", Priority.INTERACTIVE))).contains("b");
        assertThat(small.size()).isZero();
    }

    @Test
    void fullLineOfManyCallers_isFullForEverybody() {
        var small = new WaitingLine<String>(2);
        small.add("a", new Claim("a", Priority.INTERACTIVE));
        small.add("b", new Claim("b", Priority.INTERACTIVE));

        assertThat(small.makeRoom(new Claim("c", Priority.INTERACTIVE))).isEmpty();
        assertThat(small.add("c", new Claim("c", Priority.INTERACTIVE))).isFalse();
    }

    /** 0–5 a newcomer of one of three callers and two priorities, 6–8 a turn, 9 somebody gives up. */
    @Property(tries = 1_000)
    void anySequence_losesNobodyAndKeepsEachCallersOrder(
            @ForAll @Size(max = 120) List<@IntRange(max = 9) Integer> steps,
            @ForAll @IntRange(min = 1, max = 12) int capacity) {
        var ours = new WaitingLine<Waiter>(capacity);
        var waiting = new ArrayList<Waiter>();
        var lastServed = new HashMap<Claim, Integer>();
        int number = 0;
        for (int step : steps) {
            if (step <= 5) {
                var claim = new Claim("caller-" + step / 2, Priority.values()[step % 2]);
                var newcomer = new Waiter(number++, claim);
                Optional<Waiter> displaced = ours.makeRoom(claim);
                assertThat(displaced.isEmpty() || waiting.size() == capacity).isTrue();
                displaced.ifPresent(loser -> assertThat(waiting.remove(loser)).isTrue());
                if (ours.add(newcomer, claim)) {
                    waiting.add(newcomer);
                } else {
                    assertThat(waiting).hasSize(capacity);
                }
            } else if (step <= 8 && !ours.isEmpty()) {
                Waiter foretold = ours.inOrder().getFirst();
                Waiter served = ours.next();
                assertThat(served).isSameAs(foretold);
                assertThat(waiting.remove(served)).isTrue();
                Integer before = lastServed.put(served.claim(), served.number());
                assertThat(before == null || before < served.number()).isTrue();
            } else if (step == 9 && !waiting.isEmpty()) {
                Waiter impatient = waiting.remove(waiting.size() / 2);
                assertThat(ours.remove(impatient, impatient.claim())).isTrue();
                assertThat(ours.remove(impatient, impatient.claim())).isFalse();
            }
            assertThat(ours.size()).isEqualTo(waiting.size()).isLessThanOrEqualTo(capacity);
            assertThat(ours.inOrder()).containsExactlyInAnyOrderElementsOf(waiting);
        }
    }

    /** Between two turns of a caller that always has somebody waiting, each other caller of its lane gets at most one. */
    @Property(tries = 200)
    void waitingCallers_getEqualShares(
            @ForAll @IntRange(min = 2, max = 6) int callers, @ForAll @IntRange(min = 1, max = 8) int each) {
        var ours = new WaitingLine<Waiter>(100);
        for (int caller = 0; caller < callers; caller++) {
            // The first is as greedy as it can be.
            for (int i = 0; i < (caller == 0 ? each * 5 : each); i++) {
                var claim = new Claim("caller-" + caller, Priority.INTERACTIVE);
                ours.add(new Waiter(i, claim), claim);
            }
        }
        for (int round = 0; round < each; round++) {
            var served = new ArrayList<String>();
            for (int i = 0; i < callers; i++) {
                served.add(ours.next().claim().caller());
            }
            assertThat(served).doesNotHaveDuplicates();
        }
    }

    /** However many watch and keep coming, batch work waits for a bounded number of turns. */
    @Property(tries = 200)
    void endlessStreamOfWatchers_doesNotStarveBatchWork(@ForAll @IntRange(min = 1, max = 5) int batchCallers) {
        var ours = new WaitingLine<Waiter>(100);
        for (int caller = 0; caller < batchCallers; caller++) {
            var claim = new Claim("batch-" + caller, Priority.BATCH);
            ours.add(new Waiter(caller, claim), claim);
        }
        var person = new Claim("person", Priority.INTERACTIVE);
        int left = batchCallers;
        for (int turn = 0; turn < batchCallers * (WaitingLine.MOST_OVERTAKEN + 1); turn++) {
            ours.add(new Waiter(turn, person), person);
            left -= ours.next().claim().priority() == Priority.BATCH ? 1 : 0;
        }
        assertThat(left).isZero();
    }

    private void watching(String caller, String... who) {
        for (String each : who) {
            line.add(each, new Claim(caller, Priority.INTERACTIVE));
        }
    }

    private void batch(String... who) {
        for (String each : who) {
            line.add(each, new Claim("nightly", Priority.BATCH));
        }
    }
}
