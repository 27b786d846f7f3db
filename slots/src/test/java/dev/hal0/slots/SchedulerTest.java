package dev.hal0.slots;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class SchedulerTest {
    private static final Incarnation LIFE = new Incarnation("life");
    private static final Workload WORKLOAD = new Workload(Samples.SLOT, "n1", LIFE);
    private static final OperationId LOAD = new OperationId("load");
    private static final OperationId OTHER = new OperationId("other");
    private static final OperationId UNLOAD = new OperationId("unload");
    private static final Exit CRASH = new Exit(OptionalInt.of(139), List.of("out of memory"));
    private static final Hal0Exception SPAWN = new Hal0Exception(ErrorCode.SLOT_SPAWN_FAILED, "no program");
    private static final Hal0Exception PORT = new Hal0Exception(ErrorCode.SLOT_PORT_CONFLICT, "taken");
    private static final Hal0Exception SURVIVED = new Hal0Exception(ErrorCode.SLOT_TERMINATE_TIMEOUT, "survived");

    private static final SlotEvent WANT = new SlotEvent.LoadWanted(Samples.SLOT, LOAD, Samples.load("small", "n1"));
    private static final SlotEvent WANT_UNPREPARED = new SlotEvent.LoadWanted(
            Samples.SLOT,
            LOAD,
            new LoadRequest(
                    Samples.plan(Samples.SLOT, "small"),
                    "n1",
                    false,
                    true,
                    false,
                    OptionalLong.empty(),
                    CauseCode.OPERATOR_LOAD));
    private static final SlotEvent PREPARED = new SlotEvent.Prepared(Samples.SLOT, "n1");
    private static final SlotEvent LAUNCHED = new SlotEvent.Launched(Samples.SLOT, WORKLOAD);
    private static final SlotEvent ANSWERED = new SlotEvent.Answered(Samples.SLOT, LIFE);
    private static final SlotEvent EXITED = new SlotEvent.Exited(Samples.SLOT, LIFE, CRASH);
    private static final SlotEvent STOPPED = new SlotEvent.Stopped(Samples.SLOT, LIFE);
    private static final SlotEvent STOP_FAILED = new SlotEvent.StopFailed(Samples.SLOT, LIFE, SURVIVED);
    private static final SlotEvent EXPIRED = new SlotEvent.DrainExpired(Samples.SLOT, LIFE);
    private static final SlotEvent GATE_CLOSED = new SlotEvent.GateClosed(Samples.SLOT, new ClosedGate(LIFE, 0));
    private static final SlotEvent DOUBTED = new SlotEvent.Doubted(Samples.SLOT, LIFE, "refused");
    private static final SlotEvent STOP =
            new SlotEvent.UnloadWanted(Samples.SLOT, UNLOAD, false, CauseCode.OPERATOR_UNLOAD);
    private static final SlotEvent FORCE_STOP =
            new SlotEvent.UnloadWanted(Samples.SLOT, UNLOAD, true, CauseCode.OPERATOR_FORCE);
    private static final SlotEvent WANT_LARGE =
            new SlotEvent.LoadWanted(Samples.SLOT, OTHER, Samples.load("large", "n2"));

    private SchedulerState state = SchedulerState.EMPTY;
    private Instant now = Instant.EPOCH;

    /** Where a story ends: state, cause, and what became of the operations. */
    static Stream<Arguments> stories() {
        return Stream.of(
                story("prepared load", SlotState.STARTING, CauseCode.OPERATOR_LOAD, "", WANT),
                story("load of an engine to fetch", SlotState.PULLING, CauseCode.OPERATOR_LOAD, "", WANT_UNPREPARED),
                story("fetched", SlotState.STARTING, CauseCode.OPERATOR_LOAD, "", WANT_UNPREPARED, PREPARED),
                story(
                        "not fetched",
                        SlotState.ERROR,
                        CauseCode.ENGINE_MISSING,
                        "load failed",
                        WANT_UNPREPARED,
                        new SlotEvent.PrepareFailed(Samples.SLOT, "n1", SPAWN)),
                story(
                        "unload while fetching",
                        SlotState.OFFLINE,
                        CauseCode.STOPPED,
                        "load cancelled, unload finished",
                        WANT_UNPREPARED,
                        STOP),
                story("launched", SlotState.WARMING, CauseCode.LAUNCHED, "", WANT, LAUNCHED),
                story(
                        "spawn failed",
                        SlotState.ERROR,
                        CauseCode.SPAWN_FAILED,
                        "load failed",
                        WANT,
                        new SlotEvent.LaunchFailed(Samples.SLOT, "n1", SPAWN)),
                story(
                        "port taken",
                        SlotState.ERROR,
                        CauseCode.PORT_TAKEN,
                        "load failed",
                        WANT,
                        new SlotEvent.LaunchFailed(Samples.SLOT, "n1", PORT)),
                story("ready", SlotState.READY, CauseCode.HEALTHY, "load finished", WANT, LAUNCHED, ANSWERED),
                story(
                        "died while loading",
                        SlotState.ERROR,
                        CauseCode.ENGINE_EXITED,
                        "load failed",
                        WANT,
                        LAUNCHED,
                        EXITED),
                story(
                        "never answered",
                        SlotState.ERROR,
                        CauseCode.LOAD_TIMEOUT,
                        "load failed",
                        WANT,
                        LAUNCHED,
                        new SlotEvent.Unanswered(Samples.SLOT, LIFE, "budget"),
                        GATE_CLOSED,
                        STOPPED),
                story(
                        "runs otherwise than asked",
                        SlotState.ERROR,
                        CauseCode.PLAN_MISMATCH,
                        "load failed",
                        WANT,
                        LAUNCHED,
                        new SlotEvent.Mismatched(Samples.SLOT, LIFE, List.of("n_ctx is 512")),
                        GATE_CLOSED,
                        STOPPED),
                story(
                        "given up, and a newer load waits",
                        SlotState.STARTING,
                        CauseCode.OPERATOR_LOAD,
                        "load failed",
                        WANT,
                        LAUNCHED,
                        new SlotEvent.Unanswered(Samples.SLOT, LIFE, "budget"),
                        WANT_LARGE,
                        GATE_CLOSED,
                        STOPPED),
                story(
                        "given up, and cannot be stopped",
                        SlotState.ERROR,
                        CauseCode.STOP_TIMEOUT,
                        "load failed",
                        WANT,
                        LAUNCHED,
                        new SlotEvent.Unanswered(Samples.SLOT, LIFE, "budget"),
                        GATE_CLOSED,
                        STOP_FAILED),
                story(
                        "doubted",
                        SlotState.WARMING,
                        CauseCode.UNRESPONSIVE,
                        "load finished",
                        WANT,
                        LAUNCHED,
                        ANSWERED,
                        DOUBTED),
                story(
                        "doubted and fine",
                        SlotState.READY,
                        CauseCode.HEALTHY,
                        "load finished",
                        WANT,
                        LAUNCHED,
                        ANSWERED,
                        DOUBTED,
                        ANSWERED),
                story(
                        "lost",
                        SlotState.OFFLINE,
                        CauseCode.ENGINE_EXITED,
                        "load finished",
                        WANT,
                        LAUNCHED,
                        ANSWERED,
                        EXITED),
                story(
                        "draining stays ready",
                        SlotState.READY,
                        CauseCode.HEALTHY,
                        "load finished",
                        WANT,
                        LAUNCHED,
                        ANSWERED,
                        STOP),
                story(
                        "drained",
                        SlotState.UNLOADING,
                        CauseCode.OPERATOR_UNLOAD,
                        "load finished",
                        WANT,
                        LAUNCHED,
                        ANSWERED,
                        STOP,
                        GATE_CLOSED),
                story(
                        "unloaded",
                        SlotState.OFFLINE,
                        CauseCode.STOPPED,
                        "load finished, unload finished",
                        WANT,
                        LAUNCHED,
                        ANSWERED,
                        STOP,
                        GATE_CLOSED,
                        STOPPED),
                story(
                        "busy",
                        SlotState.READY,
                        CauseCode.HEALTHY,
                        "load finished, unload failed",
                        WANT,
                        LAUNCHED,
                        ANSWERED,
                        STOP,
                        EXPIRED),
                story(
                        "forced after a drain began, whose expiry comes late",
                        SlotState.OFFLINE,
                        CauseCode.STOPPED,
                        "load finished, unload finished",
                        WANT,
                        LAUNCHED,
                        ANSWERED,
                        STOP,
                        FORCE_STOP,
                        EXPIRED,
                        GATE_CLOSED,
                        STOPPED),
                story(
                        "died while draining",
                        SlotState.OFFLINE,
                        CauseCode.ENGINE_EXITED,
                        "load finished, unload finished",
                        WANT,
                        LAUNCHED,
                        ANSWERED,
                        STOP,
                        EXITED),
                story(
                        "survives its stop",
                        SlotState.ERROR,
                        CauseCode.STOP_TIMEOUT,
                        "load finished, unload failed",
                        WANT,
                        LAUNCHED,
                        ANSWERED,
                        STOP,
                        GATE_CLOSED,
                        STOP_FAILED),
                story(
                        "unload while spawning waits for the spawn",
                        SlotState.UNLOADING,
                        CauseCode.OPERATOR_UNLOAD,
                        "load cancelled",
                        WANT,
                        STOP),
                story(
                        "spawn failed after an unload",
                        SlotState.OFFLINE,
                        CauseCode.STOPPED,
                        "load cancelled, unload finished",
                        WANT,
                        STOP,
                        new SlotEvent.LaunchFailed(Samples.SLOT, "n1", SPAWN)),
                story(
                        "spawned after an unload",
                        SlotState.OFFLINE,
                        CauseCode.STOPPED,
                        "load cancelled, unload finished",
                        WANT,
                        STOP,
                        LAUNCHED,
                        GATE_CLOSED,
                        STOPPED),
                story(
                        "unload while warming",
                        SlotState.OFFLINE,
                        CauseCode.STOPPED,
                        "load cancelled, unload finished",
                        WANT,
                        LAUNCHED,
                        STOP,
                        GATE_CLOSED,
                        STOPPED),
                story(
                        "another model takes over",
                        SlotState.STARTING,
                        CauseCode.OPERATOR_LOAD,
                        "load finished",
                        WANT,
                        LAUNCHED,
                        ANSWERED,
                        WANT_LARGE,
                        GATE_CLOSED,
                        STOPPED),
                story(
                        "another model and a busy one",
                        SlotState.READY,
                        CauseCode.HEALTHY,
                        "load finished, other failed",
                        WANT,
                        LAUNCHED,
                        ANSWERED,
                        WANT_LARGE,
                        EXPIRED),
                story("unload of nothing", SlotState.OFFLINE, CauseCode.NEVER_LOADED, "unload finished", STOP));
    }

    /** An engine that loads and dies with its first request must not be started every two seconds for ever. */
    @Test
    void engineThatDiesSoonAfterBeingReady_isRestartedLaterEachTime() {
        Duration before = Duration.ZERO;
        for (int life = 1; life <= 4; life++) {
            play(WANT, LAUNCHED, ANSWERED);
            now = now.plusSeconds(5);
            play(EXITED);
            assertThat(machine().failures()).isEqualTo(life);
            Duration pause = Duration.between(now, machine().retryDue().orElseThrow());
            assertThat(pause).isGreaterThan(before);
            before = pause;
        }
    }

    @Test
    void engineThatWorkedForAWhile_hasItsEarlierFailuresForgiven() {
        play(WANT, LAUNCHED, ANSWERED, EXITED, WANT, LAUNCHED, ANSWERED);
        assertThat(machine().failures()).isEqualTo(1);
        now = now.plus(SlotTurn.STABLE);
        play(EXITED);
        assertThat(machine().failures()).isEqualTo(1);
    }

    @Test
    void swapThatFails_asksForThePreviousModelAtOnce() {
        play(WANT, LAUNCHED, ANSWERED, WANT_LARGE, GATE_CLOSED, STOPPED);
        List<SlotEffect> effects = step(new SlotEvent.LaunchFailed(Samples.SLOT, "n2", SPAWN));
        assertThat(effects).contains(new SlotEffect.Reload(Samples.SLOT, CauseCode.SWAP_UNDONE));
        assertThat(effects)
                .anySatisfy(effect -> assertThat(effect)
                        .isInstanceOfSatisfying(
                                SlotEffect.Fail.class,
                                fail -> assertThat(fail.why().details()).containsEntry("restoring", "small")));
    }

    /** Otherwise a later crash would bring back a model that nobody asked for any more. */
    @Test
    void swapThatSucceeded_isNotUndoneByALaterFailure() {
        play(WANT, LAUNCHED, ANSWERED, WANT_LARGE, GATE_CLOSED, STOPPED);
        var life = new Incarnation("life2");
        play(
                new SlotEvent.Launched(Samples.SLOT, new Workload(Samples.SLOT, "n2", life)),
                new SlotEvent.Answered(Samples.SLOT, life));
        assertThat(step(new SlotEvent.Exited(Samples.SLOT, life, CRASH)))
                .noneMatch(effect -> effect instanceof SlotEffect.Reload);
    }

    @Test
    void unloadDuringASwap_leavesNothingToGoBackTo() {
        play(WANT, LAUNCHED, ANSWERED, WANT_LARGE, STOP, GATE_CLOSED);
        assertThat(step(STOPPED)).noneMatch(effect -> effect instanceof SlotEffect.Reload);
        assertThat(state.machine(Samples.SLOT).orElseThrow().state()).isEqualTo(SlotState.OFFLINE);
    }

    private static Arguments story(
            String name, SlotState state, CauseCode cause, String operations, SlotEvent... events) {
        return Arguments.of(name, state, cause, operations, Arrays.asList(events));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("stories")
    void story_endsInItsState(String name, SlotState ends, CauseCode cause, String operations, List<SlotEvent> events) {
        var effects = new ArrayList<SlotEffect>();
        events.forEach(event -> effects.addAll(step(event)));

        assertThat(machine().state()).isEqualTo(ends);
        assertThat(machine().cause()).isEqualTo(cause);
        assertThat(String.join(", ", outcomes(effects))).isEqualTo(operations);
    }

    @Test
    void hundredLoads_causeOneStart() {
        var effects = new ArrayList<SlotEffect>();
        for (int i = 0; i < 100; i++) {
            effects.addAll(step(new SlotEvent.LoadWanted(
                    Samples.SLOT, new OperationId("load-" + i), Samples.load("small", "nonce-" + i))));
        }

        assertThat(effects).filteredOn(SlotEffect.Start.class::isInstance).hasSize(1);
        assertThat(machine().operations()).hasSize(100);
    }

    @Test
    void launchOfAnEarlierWish_isStoppedAndChangesNothing() {
        step(WANT);
        SlotMachine before = machine();
        var stray = new Workload(Samples.SLOT, "n0", new Incarnation("stray"));

        List<SlotEffect> effects = step(new SlotEvent.Launched(Samples.SLOT, stray));

        assertThat(effects).containsExactly(new SlotEffect.StopStray(stray));
        assertThat(machine()).isEqualTo(before);
    }

    @Test
    void secondProof_stopsOnce() {
        play(WANT, LAUNCHED, ANSWERED, STOP, FORCE_STOP, GATE_CLOSED);

        assertThat(step(GATE_CLOSED)).isEmpty();
    }

    @Test
    void deathDuringADrain_tellsThoseInside() {
        play(WANT, LAUNCHED, STOP);

        assertThat(step(EXITED)).containsExactly(new SlotEffect.Abandon(Samples.SLOT, LIFE));
    }

    @Test
    void lateProgress_doesNotChangeAReadySlot() {
        play(WANT, LAUNCHED, ANSWERED);

        assertThat(step(new SlotEvent.Progressed(Samples.SLOT, "n1", "loading")))
                .isEmpty();
        assertThat(machine().message()).isEmpty();
    }

    @Test
    void forcedRestartWhileDraining_revokes() {
        play(WANT, LAUNCHED, STOP);

        assertThat(step(new SlotEvent.RestartWanted(Samples.SLOT, OTHER, true, Samples.load("small", "n2"))))
                .contains(new SlotEffect.Revoke(Samples.SLOT, LIFE, RevokeCause.OPERATOR_FORCE));
    }

    @Test
    void loadDuringAnUnload_isDesiredOnDisk() {
        play(WANT, LAUNCHED, STOP);

        List<SlotEffect> effects = step(WANT_LARGE);

        assertThat(effects)
                .filteredOn(SlotEffect.Persist.class::isInstance)
                .last()
                .satisfies(effect -> assertThat(
                                ((SlotEffect.Persist) effect).machine().desired())
                        .isTrue());
    }

    @Test
    void repeatedFailures_makeRequestsWaitButNotPeople() {
        for (int attempt = 0; attempt < 2; attempt++) {
            play(WANT, new SlotEvent.LaunchFailed(Samples.SLOT, "n1", SPAWN));
        }
        var request = new LoadRequest(
                Samples.plan(Samples.SLOT, "small"), "n1", true, false, false, OptionalLong.empty(), CauseCode.REQUEST);

        List<SlotEffect> refused = step(new SlotEvent.LoadWanted(Samples.SLOT, OTHER, request));
        assertThat(outcomes(refused)).containsExactly("other failed");
        assertThat(((SlotEffect.Fail) refused.getFirst()).why().retryAfterSeconds())
                .isPresent();

        now = now.plus(SlotTurn.FIRST_PAUSE);
        step(new SlotEvent.LoadWanted(Samples.SLOT, OTHER, request));
        assertThat(machine().state()).isEqualTo(SlotState.STARTING);
    }

    @Test
    void manyFailures_pauseNoLongerThanTheLongest() {
        for (int attempt = 0; attempt < 80; attempt++) {
            play(WANT, new SlotEvent.LaunchFailed(Samples.SLOT, "n1", SPAWN));
        }
        var request = new LoadRequest(
                Samples.plan(Samples.SLOT, "small"), "n1", true, false, false, OptionalLong.empty(), CauseCode.REQUEST);

        SlotEffect refused =
                step(new SlotEvent.LoadWanted(Samples.SLOT, OTHER, request)).getFirst();

        assertThat(((SlotEffect.Fail) refused).why().retryAfterSeconds().orElseThrow())
                .isBetween(SlotTurn.LONGEST_PAUSE.toSeconds(), SlotTurn.LONGEST_PAUSE.toSeconds() + 1);
    }

    /** Guards against a request that waits for ever: the slot was about to be unloaded for being unused, and then was not. */
    @Test
    void loadWantedWhileTheGateIsTried_endsWhenTheSlotStays() {
        play(WANT, LAUNCHED, ANSWERED);
        now = now.plusSeconds(10);
        var residency = new Residency(SlotType.LLM, "ram", false, 0, Duration.ofSeconds(1), Lane.SHARED);
        var world = new Observation(
                Map.of(Samples.SLOT, new Observation.Use(residency, 0, 0, Optional.empty())),
                Map.of(),
                ResidencyLimits.NONE);
        Scheduler.Step tick = Scheduler.tick(state, now, world);
        state = tick.state();
        assertThat(tick.effects()).containsExactly(new SlotEffect.TryClose(Samples.SLOT, LIFE));
        step(new SlotEvent.LoadWanted(Samples.SLOT, OTHER, Samples.load("small", "n2")));

        assertThat(outcomes(step(new SlotEvent.CloseRefused(Samples.SLOT, LIFE))))
                .containsExactly("other finished");
        assertThat(machine().isClosing()).isFalse();
        assertThat(machine().next()).isEmpty();
    }

    @Test
    void deletedSlotThatWasLoadedMeanwhile_isStopped() {
        play(WANT, LAUNCHED, ANSWERED);

        assertThat(step(new SlotEvent.Forgotten(Samples.SLOT)))
                .contains(new SlotEffect.Revoke(Samples.SLOT, LIFE, RevokeCause.OPERATOR_FORCE));
        assertThat(machine().desired()).isFalse();
    }

    @ParameterizedTest
    @EnumSource(SlotState.class)
    void recordOfAnyState_withItsWorkloadFound_isAdopted(SlotState recorded) {
        Scheduler.Step step =
                Scheduler.recover(SchedulerState.EMPTY, recorded(recorded), Optional.of(WORKLOAD), Instant.EPOCH);

        SlotMachine adopted = step.state().machine(Samples.SLOT).orElseThrow();
        assertThat(adopted.state()).isEqualTo(SlotState.WARMING);
        assertThat(adopted.cause()).isEqualTo(CauseCode.ADOPTED);
        assertThat(step.effects()).contains(new SlotEffect.Attend(WORKLOAD));
        assertThat(step.effects()).last().isInstanceOf(SlotEffect.AwaitAnswer.class);
    }

    @ParameterizedTest
    @EnumSource(SlotState.class)
    void recordOfAnyState_withNothingFound_runsNothing(SlotState recorded) {
        Scheduler.Step step =
                Scheduler.recover(SchedulerState.EMPTY, recorded(recorded), Optional.empty(), Instant.EPOCH);

        SlotMachine settled = step.state().machine(Samples.SLOT).orElseThrow();
        assertThat(settled.state()).isIn(SlotState.OFFLINE, SlotState.ERROR);
        assertThat(settled.launch()).isEmpty();
        assertThat(settled.desired()).isTrue();
    }

    @ParameterizedTest
    @EnumSource(SlotEdge.class)
    void everyEdge_leavesOnlyItsStates(SlotEdge edge) {
        for (SlotState from : SlotState.values()) {
            if (!edge.leaves(from)) {
                SlotMachine machine = in(from);
                assertThat(org.assertj.core.api.Assertions.catchThrowable(
                                () -> machine.moved(edge, CauseCode.STOPPED, "", Instant.EPOCH)))
                        .isInstanceOf(IllegalStateException.class);
            }
        }
    }

    /** Regression: a failure that was recorded while the clock ran a day ahead was retried only a day later. */
    @Test
    void failureRecordedUnderAClockThatRanAhead_countsFromNow() {
        SlotMachine ahead = in(SlotState.ERROR);

        SchedulerState state = Scheduler.recover(
                        SchedulerState.EMPTY,
                        ahead,
                        Optional.empty(),
                        ahead.since().minus(Duration.ofDays(1)))
                .state();

        assertThat(state.machine(Samples.SLOT).orElseThrow().since())
                .isEqualTo(ahead.since().minus(Duration.ofDays(1)));
    }

    private static SlotMachine recorded(SlotState state) {
        SlotMachine machine = in(state)
                .withDesired(true)
                .withLaunch(Optional.of(new Launch(
                        "n1", Samples.plan(Samples.SLOT, "small"), OptionalLong.empty(), Optional.of(LIFE))));
        return SlotRecord.of(machine).toMachine();
    }

    private static SlotMachine in(SlotState state) {
        return new SlotMachine(
                Samples.SLOT,
                state,
                Instant.EPOCH,
                CauseCode.HEALTHY,
                "",
                false,
                Optional.empty(),
                Set.of(),
                Set.of(),
                Optional.empty(),
                Optional.empty(),
                0,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                SlotMachine.Closing.NO,
                CauseCode.HEALTHY);
    }

    private void play(SlotEvent... events) {
        for (SlotEvent event : events) {
            step(event);
        }
    }

    private List<SlotEffect> step(SlotEvent event) {
        Scheduler.Step step = Scheduler.step(state, event, now, Observation.NOTHING);
        state = step.state();
        return step.effects();
    }

    private SlotMachine machine() {
        return state.machine(Samples.SLOT).orElseThrow();
    }

    private static List<String> outcomes(List<SlotEffect> effects) {
        var outcomes = new ArrayList<String>();
        for (SlotEffect effect : effects) {
            switch (effect) {
                case SlotEffect.Finish(var ids, String message) -> ids.forEach(id -> outcomes.add(id + " finished"));
                case SlotEffect.Fail(var ids, Hal0Exception why) -> ids.forEach(id -> outcomes.add(id + " failed"));
                case SlotEffect.Cancel(var ids, String message) -> ids.forEach(id -> outcomes.add(id + " cancelled"));
                default -> {}
            }
        }
        return outcomes;
    }
}
