package dev.hal0.slots;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hal0.kernel.SlotName;
import dev.hal0.slots.RoomPlanner.Decision;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.Test;

class RoomPlannerTest {
    private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
    private static final Residency LLM = new Residency(SlotType.LLM, "ram", false, 0, Duration.ZERO, Lane.SHARED);
    private static final Residency EMBEDDING =
            new Residency(SlotType.EMBEDDING, "ram", false, 0, Duration.ZERO, Lane.SHARED);
    private static final Residency ON_CARD = new Residency(SlotType.LLM, "vram", false, 0, Duration.ZERO, Lane.SHARED);
    private static final SlotName NEW = new SlotName("new");

    private final Map<SlotName, Observation.Use> uses = new HashMap<>();
    private final Map<String, Long> free = new HashMap<>();
    private final Map<String, Long> budget = new HashMap<>(Map.of("ram", 100L));
    private final Map<SlotType, Integer> caps = new HashMap<>();
    private SchedulerState state = SchedulerState.EMPTY;
    private Residency wanted = LLM;
    private boolean mayEvict = true;
    private Instant since = NOW;

    @Test
    void emptyMachine_admits() {
        assertThat(decide(100)).isInstanceOf(Decision.Admit.class);
    }

    @Test
    void moreThanTheMachineHas_isRefusedAtOnce() {
        assertThat(decide(101)).isInstanceOf(Decision.Refuse.class);
    }

    @Test
    void exactFitBesideOthers_admits() {
        loaded("a", 60, LLM, 100);
        assertThat(decide(40)).isInstanceOf(Decision.Admit.class);
        assertThat(victims(decide(41))).containsExactly("a");
    }

    @Test
    void otherPool_isNobodysBusiness() {
        loaded("a", 90, ON_CARD, 100);
        assertThat(decide(100)).isInstanceOf(Decision.Admit.class);
    }

    @Test
    void unknownBudget_neverRefuses() {
        budget.clear();
        loaded("a", 1_000, LLM, 100);
        assertThat(decide(1_000_000)).isInstanceOf(Decision.Admit.class);
    }

    @Test
    void leastRecentlyUsed_givesWayFirst() {
        loaded("young", 50, LLM, 20);
        loaded("old", 50, LLM, 900);
        assertThat(victims(decide(50))).containsExactly("old");
    }

    @Test
    void sameType_givesWayBeforeAnOlderOneOfAnotherType() {
        loaded("embed", 50, EMBEDDING, 900);
        loaded("chat", 50, LLM, 20);
        assertThat(victims(decide(50))).containsExactly("chat");
    }

    @Test
    void lowerPriority_givesWayBeforeAnOlderOne() {
        wanted = with(LLM, false, 1);
        loaded("old", 50, with(LLM, false, 1), 900);
        loaded("low", 50, LLM, 20);
        assertThat(victims(decide(50))).containsExactly("low");
    }

    @Test
    void equalAge_isDecidedByName() {
        loaded("b", 50, LLM, 100);
        loaded("a", 50, LLM, 100);
        assertThat(victims(decide(50))).containsExactly("a");
    }

    @Test
    void oneLargeVictim_sparesTheSmallOnesBeforeIt() {
        loaded("tiny", 5, LLM, 900);
        loaded("large", 80, LLM, 20);
        assertThat(victims(decide(90))).containsExactly("large");
    }

    @Test
    void severalVictims_goTogether() {
        loaded("a", 40, LLM, 900);
        loaded("b", 40, LLM, 800);
        loaded("c", 20, LLM, 20);
        assertThat(victims(decide(75))).containsExactly("a", "b");
    }

    @Test
    void pinnedSlot_neverGivesWay() {
        loaded("a", 60, with(LLM, true, 0), 900);
        Decision decision = decide(50);
        assertThat(decision).isInstanceOf(Decision.Refuse.class);
        assertThat(decision.evidence().slots())
                .containsExactly(new RoomEvidence.Verdict(new SlotName("a"), 60L, "is pinned"));
    }

    @Test
    void higherPriority_neverGivesWay() {
        loaded("a", 60, with(LLM, false, 1), 900);
        assertThat(decide(50)).isInstanceOf(Decision.Refuse.class);
        wanted = with(LLM, false, 1);
        assertThat(victims(decide(50))).containsExactly("a");
    }

    /** Guards pitfall P13: a request that has just started is killed by a stale choice. */
    @Test
    void slotInUse_isWaitedForAndThenClosedToNewRequests() {
        loaded("a", 60, LLM, 0);
        inside("a", 1);

        assertThat(decide(50)).isInstanceOf(Decision.Wait.class);
        assertThat(decide(50).evidence().reason()).contains("until a can give way");

        since = NOW.minusSeconds(3);
        Decision.MakeRoom room = (Decision.MakeRoom) decide(50);
        assertThat(room.drain()).isTrue();
        assertThat(room.victims()).containsExactly(new SlotName("a"));
    }

    @Test
    void slotWithSomebodyInItsLine_isInUse() {
        loaded("a", 60, LLM, 500);
        uses.computeIfPresent(
                new SlotName("a"), (name, use) -> new Observation.Use(use.residency(), 0, 1, use.lastUsed()));
        assertThat(decide(50)).isInstanceOf(Decision.Wait.class);
    }

    @Test
    void quietSlot_isChosenBeforeAnOlderOneInUse() {
        loaded("busy", 50, LLM, 900);
        loaded("quiet", 50, LLM, 20);
        inside("busy", 1);
        assertThat(victims(decide(50))).containsExactly("quiet");
    }

    /** Guards against two slots that take turns and spend their lives loading. */
    @Test
    void slotThatBecameReadyJustNow_hasItsTime() {
        loaded("a", 60, LLM, 1, 5);
        since = NOW.minusSeconds(60);
        assertThat(decide(50)).isInstanceOf(Decision.Wait.class);
        assertThat(decide(50).evidence().slots().getFirst().verdict()).isEqualTo("became ready only now");

        loaded("a", 60, LLM, 1, 10);
        assertThat(victims(decide(50))).containsExactly("a");
    }

    @Test
    void slotThatNobodyUsedSinceItIsReady_givesWayAtOnce() {
        loaded("a", 60, LLM, 900, 5);
        assertThat(victims(decide(50))).containsExactly("a");
    }

    @Test
    void slotOnItsWayOut_isWaitedForInsteadOfAnother() {
        loaded("leaving", 50, LLM, 900);
        state = state.with(machine("leaving").withClosing(SlotMachine.Closing.DRAINING, CauseCode.EVICTED));
        loaded("staying", 50, LLM, 950);
        Decision decision = decide(50);
        assertThat(decision).isInstanceOf(Decision.Wait.class);
        assertThat(decision.evidence().reason()).isEqualTo("waits for leaving to be gone");
    }

    @Test
    void fullType_makesOneOfItGiveWayWhateverItsSize() {
        caps.put(SlotType.LLM, 1);
        loaded("chat", 1, LLM, 20);
        loaded("embed", 1, EMBEDDING, 900);
        assertThat(victims(decide(1))).containsExactly("chat");
        wanted = EMBEDDING;
        assertThat(decide(1)).isInstanceOf(Decision.Admit.class);
    }

    @Test
    void fullTypeOnAnotherPool_countsTheSame() {
        caps.put(SlotType.LLM, 1);
        loaded("chat", 1, ON_CARD, 20);
        assertThat(victims(decide(1))).containsExactly("chat");
    }

    @Test
    void unknownNeed_isLoadedAlone() {
        assertThat(decide(OptionalLong.empty())).isInstanceOf(Decision.Admit.class);
        loading("a", OptionalLong.of(10));
        assertThat(decide(OptionalLong.empty())).isInstanceOf(Decision.Wait.class);
        assertThat(decide(10)).isInstanceOf(Decision.Admit.class);
    }

    @Test
    void loadOfUnknownNeed_isWaitedFor() {
        loading("a", OptionalLong.empty());
        assertThat(decide(1)).isInstanceOf(Decision.Wait.class);
        wanted = ON_CARD;
        assertThat(decide(1)).isInstanceOf(Decision.Admit.class);
    }

    /** Guards acceptance rule 9.2.5: two loads at once that each fit alone. */
    @Test
    void loadUnderWay_keepsWhatItWasPromised() {
        loading("a", OptionalLong.of(60));
        // Not refused: what is being loaded may give way when it is ready.
        assertThat(decide(50)).isInstanceOf(Decision.Wait.class);
        assertThat(decide(40)).isInstanceOf(Decision.Admit.class);
    }

    @Test
    void measuredFreeMemory_countsBesideTheBudget() {
        free.put("ram", 30L);
        assertThat(decide(31)).isInstanceOf(Decision.Refuse.class);
        assertThat(decide(30)).isInstanceOf(Decision.Admit.class);
        loading("a", OptionalLong.of(20));
        assertThat(decide(10)).isInstanceOf(Decision.Admit.class);
        assertThat(decide(11)).isInstanceOf(Decision.Wait.class);
    }

    @Test
    void victim_givesBackWhatItHolds() {
        budget.clear();
        free.put("ram", 10L);
        loaded("a", 40, LLM, 900);
        assertThat(victims(decide(50))).containsExactly("a");
        assertThat(decide(51)).isInstanceOf(Decision.Refuse.class);
    }

    @Test
    void whoMayNotEvict_waits() {
        mayEvict = false;
        loaded("a", 60, LLM, 900);
        since = NOW.minusSeconds(60);
        assertThat(decide(50)).isInstanceOf(Decision.Wait.class);
        inside("a", 1);
        assertThat(decide(50)).isInstanceOf(Decision.Wait.class);
    }

    private static Residency in(Lane lane) {
        return new Residency(SlotType.LLM, "ram", false, 0, Duration.ZERO, lane);
    }

    /** The NPU has one context: a second workload on it would fail, however much memory there is. */
    @Test
    void secondNpuWorkload_takesThePlaceOfTheFirst() {
        wanted = in(Lane.NPU);
        loaded("npu", 1, in(Lane.NPU), 500);
        loaded("chat", 1, in(Lane.INFERENCE), 900);
        assertThat(victims(decide(1))).containsExactly("npu");
    }

    @Test
    void npuWorkloadInAnotherPool_isInTheWayAllTheSame() {
        wanted = in(Lane.NPU);
        loaded("npu", 1, new Residency(SlotType.EMBEDDING, "npu", false, 0, Duration.ZERO, Lane.NPU), 500);
        assertThat(victims(decide(1))).containsExactly("npu");
    }

    @Test
    void modelsOnTheGpu_areBesideOneAnother_andNeverBesideImages() {
        wanted = in(Lane.INFERENCE);
        loaded("chat", 1, in(Lane.INFERENCE), 500);
        assertThat(decide(1)).isInstanceOf(Decision.Admit.class);
        loaded("img", 1, in(Lane.IMAGE), 500);
        assertThat(victims(decide(1))).containsExactly("img");
    }

    @Test
    void evidence_saysOfEachWhyItCouldOrCouldNotGiveWay() {
        budget.put("ram", 10L);
        loaded("pinned", 1, with(LLM, true, 0), 500);
        loaded("busy", 1, LLM, 500);
        inside("busy", 1);
        loaded("fresh", 1, LLM, 1, 2);
        loaded("quiet", 1, LLM, 500);
        loading("coming", OptionalLong.of(1));
        var verdicts = new java.util.TreeMap<String, String>();
        decide(9).evidence().slots().forEach(slot -> verdicts.put(slot.slot().value(), slot.verdict()));
        assertThat(verdicts)
                .containsEntry("pinned", "is pinned")
                .containsEntry("busy", "is in use")
                .containsEntry("fresh", "became ready only now")
                .containsEntry("quiet", "can give way")
                .containsEntry("coming", "is being loaded");
    }

    /** Where nothing is known there is nothing to wait for. */
    @Test
    void loadOfUnknownNeed_withoutBudgetOrMeasurement_isAdmittedBesideAnother() {
        budget.clear();
        free.clear();
        loading("coming", OptionalLong.empty());
        assertThat(decide(OptionalLong.empty())).isInstanceOf(Decision.Admit.class);
    }

    @Test
    void loadInAnotherPool_isNotWaitedFor_whenItsNeedIsUnknown() {
        wanted = ON_CARD;
        loading("coming", OptionalLong.empty());
        assertThat(decide(1)).isInstanceOf(Decision.Admit.class);
    }

    @Test
    void measuredMemory_replacesTheEstimateWithSomeRoomToGrow() {
        SlotMachine slot = SlotMachine.offline(NEW, NOW);
        LaunchPlan plan = Samples.plan(NEW, "small");
        assertThat(slot.need(plan, OptionalLong.of(7))).hasValue(7);
        SlotMachine measured = slot.withLearned(new SlotMachine.Learned(plan.hash(), 1_000));
        assertThat(measured.need(plan, OptionalLong.of(7))).hasValue(1_050);
        assertThat(measured.need(Samples.plan(NEW, "large"), OptionalLong.of(7)))
                .hasValue(7);
    }

    private Decision decide(long bytes) {
        return decide(OptionalLong.of(bytes));
    }

    private Decision decide(OptionalLong need) {
        var limits = new ResidencyLimits(
                caps, budget, 0, Duration.ofSeconds(10), Duration.ofSeconds(3), Duration.ofSeconds(60), Duration.ZERO);
        return RoomPlanner.decide(
                new RoomPlanner.Wanted(NEW, wanted, need, mayEvict, since),
                state,
                new Observation(uses, free, limits),
                NOW);
    }

    private static List<String> victims(Decision decision) {
        assertThat(decision).isInstanceOf(Decision.MakeRoom.class);
        return ((Decision.MakeRoom) decision)
                .victims().stream().map(SlotName::value).toList();
    }

    private static Residency with(Residency residency, boolean pinned, int priority) {
        return new Residency(
                residency.type(), residency.pool(), pinned, priority, residency.unloadAfter(), Lane.SHARED);
    }

    private SlotMachine machine(String name) {
        return state.machine(new SlotName(name)).orElseThrow();
    }

    private void loaded(String name, long bytes, Residency residency, int unusedSeconds) {
        loaded(name, bytes, residency, unusedSeconds, 1_000);
    }

    private void loaded(String name, long bytes, Residency residency, int unusedSeconds, int readySeconds) {
        put(name, OptionalLong.of(bytes), SlotState.READY, NOW.minusSeconds(readySeconds));
        uses.put(
                new SlotName(name), new Observation.Use(residency, 0, 0, Optional.of(NOW.minusSeconds(unusedSeconds))));
    }

    private void loading(String name, OptionalLong bytes) {
        put(name, bytes, SlotState.WARMING, NOW);
        uses.put(new SlotName(name), new Observation.Use(LLM, 0, 0, Optional.empty()));
    }

    private void inside(String name, int count) {
        uses.computeIfPresent(
                new SlotName(name), (slot, use) -> new Observation.Use(use.residency(), count, 0, use.lastUsed()));
    }

    private void put(String name, OptionalLong bytes, SlotState as, Instant since) {
        var slot = new SlotName(name);
        var launch = new Launch("n-" + name, Samples.plan(slot, "small"), bytes, Optional.empty());
        state = state.with(new SlotMachine(
                slot,
                as,
                since,
                CauseCode.HEALTHY,
                "",
                true,
                Optional.of(launch),
                Set.of(),
                Set.of(),
                Optional.empty(),
                Optional.empty(),
                0,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                SlotMachine.Closing.NO,
                CauseCode.HEALTHY));
    }
}
