package dev.hal0.slots;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jetbrains.lincheck.LincheckAssertionError;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.ThreadIdGen;
import org.jetbrains.lincheck.datastructures.Validate;
import org.junit.jupiter.api.Test;

/**
 * The gate under every interleaving that the model checker reaches. Each operation's result must be explained by a sequential
 * order; a proof given while somebody is inside has none, because the sequential gate refuses it.
 */
class GateLincheckTest {
    private static final Incarnation LIFE = new Incarnation("life");
    private static final Incarnation NEXT = new Incarnation("next");

    private static ModelCheckingOptions quick() {
        return new ModelCheckingOptions()
                .threads(3)
                .actorsPerThread(2)
                .actorsBefore(1)
                .actorsAfter(1)
                .iterations(10)
                .invocationsPerIteration(200)
                .minimizeFailedScenario(false);
    }

    public static final class Admission {
        private final Gate gate = new Gate(() -> 0L, Duration.ZERO);
        /** Apart per thread: who takes a lease leaves it, so that taking it out of a list is no race of its own. */
        private final List<Deque<Lease>> inside = List.of(
                new ArrayDeque<>(), new ArrayDeque<>(), new ArrayDeque<>(), new ArrayDeque<>(), new ArrayDeque<>());

        public Admission() {
            gate.prepare(LIFE);
            gate.open(LIFE, 2);
        }

        @Operation
        public String enter(@Param(gen = ThreadIdGen.class) int thread) {
            return switch (gate.tryEnter()) {
                case Gate.Entry.Entered(Lease lease) -> {
                    inside.get(thread).add(lease);
                    yield "entered";
                }
                case Gate.Entry.Full() -> "full";
                case Gate.Entry.Closed() -> "closed";
            };
        }

        @Operation
        public boolean leave(@Param(gen = ThreadIdGen.class) int thread) {
            Lease lease = inside.get(thread).poll();
            if (lease == null) {
                return false;
            }
            lease.leave();
            return true;
        }

        @Operation
        public boolean tryClose() {
            return gate.tryClose(LIFE).isPresent();
        }

        @Operation
        public void suspend() {
            gate.suspend(LIFE);
        }

        @Operation
        public boolean open() {
            return gate.open(LIFE, 2);
        }
    }

    /**
     * Enter and leave within one operation, which says nothing about when the gate is full: what must hold at every instant is
     * that a workload is not stopped while somebody uses it.
     */
    public static final class Proof {
        private final Gate gate = new Gate(() -> 0L, Duration.ZERO);
        private final AtomicInteger users = new AtomicInteger();
        private volatile boolean stopped;
        private volatile boolean violated;

        public Proof() {
            gate.prepare(LIFE);
            gate.open(LIFE, 2);
        }

        @Operation
        public void use() {
            if (gate.tryEnter() instanceof Gate.Entry.Entered(Lease lease)) {
                users.incrementAndGet();
                violated |= stopped;
                users.decrementAndGet();
                lease.leave();
            }
        }

        @Operation
        public void stop() {
            if (gate.tryClose(LIFE).isPresent()) {
                stopped = true;
                violated |= users.get() > 0;
            }
        }

        @Operation
        public void flap() {
            gate.suspend(LIFE);
            gate.open(LIFE, 1);
        }

        @Validate
        public void nobodyWasStoppedUnderARequest() {
            if (violated) {
                throw new IllegalStateException("the workload was stopped under a request");
            }
        }
    }

    /** Two owners at once: one wins, and the gate is the winner's. */
    public static final class Owners {
        private final Gate gate = new Gate(() -> 0L, Duration.ZERO);

        @Operation
        public boolean prepareOne() {
            return prepare(LIFE);
        }

        @Operation
        public boolean prepareOther() {
            return prepare(NEXT);
        }

        @Operation
        public boolean openOne() {
            return gate.open(LIFE, 1);
        }

        @Operation
        public boolean openOther() {
            return gate.open(NEXT, 1);
        }

        private boolean prepare(Incarnation life) {
            try {
                gate.prepare(life);
                return true;
            } catch (IllegalStateException notSealed) {
                return false;
            }
        }
    }

    /** What the gate would be if it counted and closed in two steps: the check must find it. */
    public static final class Racy {
        private final AtomicInteger inside = new AtomicInteger();
        private volatile boolean sealed;

        @Operation
        public boolean enter() {
            if (sealed) {
                return false;
            }
            inside.incrementAndGet();
            return true;
        }

        @Operation
        public boolean tryClose() {
            if (inside.get() > 0) {
                return false;
            }
            sealed = true;
            return true;
        }
    }

    @Test
    void enterLeaveSuspendOpenClose_areLinearizable() {
        quick().check(Admission.class);
    }

    @Test
    void useDuringAClose_neverMeetsAStoppedWorkload() {
        quick().check(Proof.class);
    }

    @Test
    void preparesAtOnce_haveOneWinner() {
        quick().actorsBefore(0).iterations(4).check(Owners.class);
    }

    @Test
    void gateThatChecksAndThenActs_isCaught() {
        assertThatThrownBy(() -> quick().actorsBefore(0).check(Racy.class)).isInstanceOf(LincheckAssertionError.class);
    }
}
