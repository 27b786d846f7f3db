package dev.hal0.slots;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.SlotName;
import dev.hal0.slots.GpuMode.Phase;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** The GPU changes hands between two chat slots, one slot on the CPU and an image slot, one event at a time. */
class GpuSwitchTest {
    private static final SlotName CHAT = new SlotName("chat");
    private static final SlotName CODER = new SlotName("coder");
    private static final SlotName EMBED = new SlotName("embed");
    private static final SlotName IMAGES = new SlotName("img");
    private static final OperationId ENTER = new OperationId("enter");
    private static final OperationId LEAVE = new OperationId("leave");

    private final Map<SlotName, Observation.Use> uses = new TreeMap<>();
    private final List<String> ended = new ArrayList<>();
    private final List<SlotEffect> effects = new ArrayList<>();
    private SchedulerState state = SchedulerState.EMPTY;
    private Instant now = Instant.EPOCH;
    private int counter;

    GpuSwitchTest() {
        use(CHAT, SlotType.LLM, Device.GPU_VULKAN, 0);
        use(CODER, SlotType.LLM, Device.GPU_ROCM, 0);
        use(EMBED, SlotType.EMBEDDING, Device.CPU, 0);
        use(IMAGES, SlotType.IMAGE, Device.GPU_VULKAN, 0);
        load(CHAT);
        load(CODER);
        load(EMBED);
    }

    @Test
    void entering_unloadsWhatIsOnTheGpu_thenLoadsTheImageSlot() {
        enter(false, false);
        assertThat(phase()).isEqualTo(Phase.ENTERING);
        closeGate(CHAT);
        closeGate(CODER);
        assertThat(stateOf(EMBED)).isEqualTo(SlotState.READY);
        stopped(CHAT);
        assertThat(phase()).isEqualTo(Phase.ENTERING);
        stopped(CODER);
        assertThat(phase()).isEqualTo(Phase.IMAGE);
        assertThat(asked()).containsExactly(IMAGES);
        load(IMAGES);
        assertThat(ended).containsExactly("enter finished");
    }

    /** Spec section 10.3: what image mode takes must come back even after a crash at any later moment. */
    @Test
    void phase_isDurableBeforeTheFirstSlotIsAskedToLeave() {
        enter(false, false);
        List<String> order = effects.stream()
                .map(effect -> effect.getClass().getSimpleName())
                .toList();
        assertThat(order.indexOf("PersistMode")).isNotNegative().isLessThan(order.indexOf("Drain"));
        assertThat(state.mode().saved()).containsExactly(CHAT, CODER);
    }

    /** The reference went on anyway after its drain budget and cut whoever was inside. */
    @Test
    void drainThatExpires_bringsTheModelsBack_andCutsNobody() {
        enter(false, false);
        closeGate(CHAT);
        stopped(CHAT);
        on(new SlotEvent.DrainExpired(CODER, life(CODER)));
        assertThat(ended).containsExactly("enter failed slot.busy");
        assertThat(phase()).isEqualTo(Phase.RESTORING);
        assertThat(asked()).containsExactly(CHAT, CODER);
        reload(CODER);
        load(CHAT, CauseCode.IMAGE_MODE_LEFT);
        assertThat(phase()).isEqualTo(Phase.INFERENCE);
        assertThat(stateOf(CODER)).isEqualTo(SlotState.READY);
        assertThat(effects).noneMatch(effect -> effect instanceof SlotEffect.Revoke);
    }

    @Test
    void force_revokesUnderItsOwnName() {
        enter(true, false);
        assertThat(effects)
                .filteredOn(effect -> effect instanceof SlotEffect.Revoke)
                .extracting(effect -> ((SlotEffect.Revoke) effect).cause())
                .containsExactly(RevokeCause.IMAGE_MODE_FORCED, RevokeCause.IMAGE_MODE_FORCED);
    }

    @Test
    void imageSlotThatDoesNotStart_bringsTheModelsBack_andSaysWhy() {
        enterUntilEmpty();
        want(IMAGES, CauseCode.IMAGE_MODE);
        on(new SlotEvent.LaunchFailed(
                IMAGES, nonce(IMAGES), new Hal0Exception(ErrorCode.SLOT_SPAWN_FAILED, "no program")));
        assertThat(ended).contains("enter failed slot.spawn_failed");
        assertThat(phase()).isEqualTo(Phase.RESTORING);
        assertThat(asked()).containsExactly(CHAT, CODER, IMAGES);
    }

    @Test
    void imageSlotWhoseFilesAreBroken_bringsTheModelsBack() {
        enterUntilEmpty();
        on(new SlotEvent.NotLoadable(IMAGES, new Hal0Exception(ErrorCode.SLOT_NO_MODEL, "no model")));
        assertThat(ended).contains("enter failed slot.no_model");
        assertThat(phase()).isEqualTo(Phase.RESTORING);
    }

    /** The reference stopped restoring at the first slot that failed, and stayed in image mode. */
    @Test
    void modelThatDoesNotComeBack_isNamed_andTheOthersCome() {
        inImageMode();
        on(new SlotEvent.InferenceModeWanted(IMAGES, LEAVE, false));
        closeGate(IMAGES);
        stopped(IMAGES);
        assertThat(phase()).isEqualTo(Phase.RESTORING);
        on(new SlotEvent.NotLoadable(CHAT, new Hal0Exception(ErrorCode.MODEL_FILE_MISSING, "its file is gone")));
        load(CODER, CauseCode.IMAGE_MODE_LEFT);
        assertThat(phase()).isEqualTo(Phase.INFERENCE);
        assertThat(state.mode().failed()).containsExactly(Map.entry(CHAT, "its file is gone"));
        assertThat(ended).contains("leave finished");
    }

    @Test
    void loadDuringImageMode_isRefusedWithTheRemainingTime() {
        inImageMode();
        now = now.plus(Duration.ofMinutes(10));
        want(CHAT, CauseCode.REQUEST);
        assertThat(failure(CHAT).code()).isEqualTo(ErrorCode.GPU_IMAGE_MODE);
        assertThat(failure(CHAT).retryAfterSeconds()).contains(50 * 60L);
        want(EMBED, CauseCode.REQUEST);
        assertThat(stateOf(EMBED)).isEqualTo(SlotState.READY);
    }

    @Test
    void imageSlot_outsideImageMode_isRefused_alsoByForce() {
        on(new SlotEvent.LoadWanted(IMAGES, new OperationId("x"), request(IMAGES, CauseCode.OPERATOR_LOAD, true)));
        assertThat(failure(IMAGES).code()).isEqualTo(ErrorCode.GPU_INFERENCE_MODE);
    }

    @Test
    void pinnedImageMode_isNotLeftWithoutForce_norByItself() {
        enterUntilEmpty(true);
        load(IMAGES, CauseCode.IMAGE_MODE);
        now = now.plus(Duration.ofHours(5));
        tick();
        on(new SlotEvent.InferenceModeWanted(IMAGES, LEAVE, false));
        assertThat(ended).contains("leave failed gpu.pinned");
        assertThat(phase()).isEqualTo(Phase.IMAGE);
        on(new SlotEvent.InferenceModeWanted(IMAGES, new OperationId("harder"), true));
        assertThat(phase()).isEqualTo(Phase.LEAVING);
    }

    @Test
    void unusedImageMode_isLeftByItself_butNotWhileAnImageIsMade() {
        inImageMode();
        now = now.plus(Duration.ofMinutes(59));
        tick();
        assertThat(phase()).isEqualTo(Phase.IMAGE);
        use(IMAGES, SlotType.IMAGE, Device.GPU_VULKAN, 1);
        now = now.plus(Duration.ofMinutes(2));
        tick();
        assertThat(phase()).isEqualTo(Phase.IMAGE);
        use(IMAGES, SlotType.IMAGE, Device.GPU_VULKAN, 0);
        tick();
        assertThat(phase()).isEqualTo(Phase.LEAVING);
    }

    @Test
    void slotUnloadedByHandDuringImageMode_staysUnloaded() {
        inImageMode();
        on(new SlotEvent.UnloadWanted(CHAT, new OperationId("unload"), false, CauseCode.OPERATOR_UNLOAD));
        assertThat(state.mode().saved()).containsExactly(CODER);
    }

    @Test
    void askedBackWhileEntering_theNewerWishWins() {
        enter(false, false);
        closeGate(CHAT);
        closeGate(CODER);
        on(new SlotEvent.InferenceModeWanted(IMAGES, LEAVE, false));
        assertThat(ended).contains("enter cancelled");
        stopped(CHAT);
        stopped(CODER);
        load(CHAT, CauseCode.IMAGE_MODE_LEFT);
        load(CODER, CauseCode.IMAGE_MODE_LEFT);
        assertThat(phase()).isEqualTo(Phase.INFERENCE);
        assertThat(ended).contains("leave finished");
    }

    @Test
    void recordThatCannotBeWritten_callsTheChangeOff() {
        enter(false, false);
        on(new SlotEvent.ModeNotDurable(IMAGES, new Hal0Exception(ErrorCode.SYSTEM_STORAGE, "disk full")));
        assertThat(ended).contains("enter failed system.storage");
        assertThat(phase()).isNotEqualTo(Phase.ENTERING);
    }

    @Test
    void controlPlaneThatDiedWhileEntering_bringsTheModelsBack() {
        enter(false, false);
        GpuMode recorded = GpuModeRecord.of(state.mode()).toMode();
        state = SchedulerState.EMPTY;
        effects.clear();
        apply(Scheduler.recover(state, recorded, now, world()));
        assertThat(phase()).isEqualTo(Phase.RESTORING);
        assertThat(asked()).containsExactly(CHAT, CODER);
    }

    @Test
    void controlPlaneThatDiedInImageMode_staysThere() {
        inImageMode();
        GpuMode recorded = GpuModeRecord.of(state.mode()).toMode();
        apply(Scheduler.recover(state, recorded, now, world()));
        assertThat(phase()).isEqualTo(Phase.IMAGE);
        assertThat(state.mode().saved()).containsExactly(CHAT, CODER);
    }

    @Test
    void askedForTwice_isOneChange_andBothHearOfItsEnd() {
        enter(false, false);
        on(new SlotEvent.ImageModeWanted(IMAGES, LEAVE, false, true));
        assertThat(effects)
                .filteredOn(effect -> effect instanceof SlotEffect.Drain)
                .hasSize(2);
        closeGate(CHAT);
        closeGate(CODER);
        stopped(CHAT);
        stopped(CODER);
        load(IMAGES, CauseCode.IMAGE_MODE);
        assertThat(ended).containsExactlyInAnyOrder("enter finished", "leave finished");
        assertThat(state.mode().pinned()).isTrue();
    }

    @Test
    void forceWhileEntering_endsThoseInside() {
        enter(false, false);
        on(new SlotEvent.ImageModeWanted(IMAGES, LEAVE, true, false));
        assertThat(effects)
                .filteredOn(effect -> effect instanceof SlotEffect.Revoke)
                .hasSize(2);
    }

    @Test
    void imageModeAskedForAgain_loadsTheImageSlotIfItIsGone() {
        inImageMode();
        on(new SlotEvent.Exited(IMAGES, life(IMAGES), new Exit(OptionalInt.of(1), List.of())));
        effects.clear();
        on(new SlotEvent.ImageModeWanted(IMAGES, LEAVE, false, false));
        assertThat(asked()).contains(IMAGES);
        load(IMAGES, CauseCode.IMAGE_MODE);
        assertThat(ended).contains("leave finished");
    }

    @Test
    void imageModeWithItsSlotReady_isConfirmedAtOnce_withoutAnotherLoad() {
        inImageMode();
        effects.clear();
        on(new SlotEvent.ImageModeWanted(IMAGES, LEAVE, false, false));
        assertThat(ended).contains("leave finished");
        assertThat(asked()).isEmpty();
    }

    @Test
    void imageModeWhileTheModelsComeBack_isRefused() {
        inImageMode();
        on(new SlotEvent.InferenceModeWanted(IMAGES, LEAVE, false));
        ended.clear();
        on(new SlotEvent.ImageModeWanted(IMAGES, ENTER, false, false));
        assertThat(ended).containsExactly("enter failed gpu.switching");
    }

    @Test
    void imageStillBeingMade_keepsImageMode_andForceEndsIt() {
        inImageMode();
        on(new SlotEvent.InferenceModeWanted(IMAGES, LEAVE, false));
        on(new SlotEvent.DrainExpired(IMAGES, life(IMAGES)));
        assertThat(ended).contains("leave failed gpu.busy");
        assertThat(phase()).isEqualTo(Phase.IMAGE);
        on(new SlotEvent.InferenceModeWanted(IMAGES, LEAVE, false));
        on(new SlotEvent.InferenceModeWanted(IMAGES, new OperationId("harder"), true));
        assertThat(effects)
                .filteredOn(effect -> effect instanceof SlotEffect.Revoke)
                .extracting(effect -> ((SlotEffect.Revoke) effect).cause())
                .containsExactly(RevokeCause.OPERATOR_FORCE);
    }

    @Test
    void askedBackWhileTheModelsComeBack_joins() {
        inImageMode();
        on(new SlotEvent.InferenceModeWanted(IMAGES, new OperationId("first"), false));
        closeGate(IMAGES);
        stopped(IMAGES);
        on(new SlotEvent.InferenceModeWanted(IMAGES, LEAVE, false));
        load(CHAT, CauseCode.IMAGE_MODE_LEFT);
        load(CODER, CauseCode.IMAGE_MODE_LEFT);
        assertThat(ended).contains("leave finished");
    }

    @Test
    void loadWhileImageModeIsLeft_waitsInsteadOfBeingRefused() {
        inImageMode();
        on(new SlotEvent.InferenceModeWanted(IMAGES, LEAVE, false));
        want(CHAT, CauseCode.REQUEST);
        assertThat(state.line()).containsExactly(CHAT);
        assertThat(state.machine(CHAT).orElseThrow().message()).isEqualTo("waits until image mode is left");
    }

    @Test
    void pin_isKeptOnDisk_andMeansNothingOutsideImageMode() {
        on(new SlotEvent.ImageModePinned(IMAGES, true));
        assertThat(state.mode().pinned()).isFalse();
        inImageMode();
        effects.clear();
        on(new SlotEvent.ImageModePinned(IMAGES, true));
        assertThat(state.mode().pinned()).isTrue();
        assertThat(effects).hasSize(1).first().isInstanceOf(SlotEffect.PersistMode.class);
        on(new SlotEvent.ImageModePinned(IMAGES, true));
        assertThat(effects).hasSize(1);
    }

    @Test
    void lostRecord_whileImagesAreMade_givesTheGpuBackInOrder() {
        inImageMode();
        apply(Scheduler.recover(state, GpuMode.INFERENCE, now, world()));
        assertThat(phase()).isEqualTo(Phase.LEAVING);
    }

    @Test
    void modelFoundRunningInImageMode_isUnloaded() {
        GpuMode recorded = new GpuMode(
                Phase.IMAGE, now, List.of(CHAT), java.util.Set.of(), false, false, java.util.Set.of(), Map.of());
        apply(Scheduler.recover(state, recorded, now, world()));
        assertThat(phase()).isEqualTo(Phase.ENTERING);
        assertThat(effects).anyMatch(effect -> effect instanceof SlotEffect.Drain);
    }

    @Test
    void withoutAnImageSlot_thereIsNoImageMode() {
        uses.remove(IMAGES);
        enter(false, false);
        assertThat(ended).containsExactly("enter failed gpu.img_slot_missing");
        assertThat(phase()).isEqualTo(Phase.INFERENCE);
    }

    // The stage

    private void inImageMode() {
        enterUntilEmpty();
        load(IMAGES, CauseCode.IMAGE_MODE);
        assertThat(phase()).isEqualTo(Phase.IMAGE);
    }

    private void enterUntilEmpty() {
        enterUntilEmpty(false);
    }

    private void enterUntilEmpty(boolean pin) {
        enter(false, pin);
        closeGate(CHAT);
        closeGate(CODER);
        stopped(CHAT);
        stopped(CODER);
        assertThat(phase()).isEqualTo(Phase.IMAGE);
    }

    private void enter(boolean force, boolean pin) {
        on(new SlotEvent.ImageModeWanted(IMAGES, ENTER, force, pin));
    }

    private void use(SlotName slot, SlotType type, Device device, int inside) {
        uses.put(
                slot,
                new Observation.Use(
                        new Residency(type, "ram", false, 0, Duration.ZERO, Lane.of(device, type)),
                        inside,
                        0,
                        Optional.empty()));
    }

    private Observation world() {
        return new Observation(uses, Map.of(), ResidencyLimits.NONE);
    }

    private void load(SlotName slot) {
        load(slot, CauseCode.OPERATOR_LOAD);
    }

    private void load(SlotName slot, CauseCode why) {
        want(slot, why);
        var workload = new Workload(slot, nonce(slot), new Incarnation(slot + "-" + counter++));
        on(new SlotEvent.Launched(slot, workload));
        on(new SlotEvent.Answered(slot, workload.incarnation()));
        assertThat(stateOf(slot)).isEqualTo(SlotState.READY);
    }

    /** A slot that never left answers at once. */
    private void reload(SlotName slot) {
        want(slot, CauseCode.IMAGE_MODE_LEFT);
    }

    private void want(SlotName slot, CauseCode why) {
        on(new SlotEvent.LoadWanted(slot, new OperationId("load-" + slot), request(slot, why, false)));
    }

    private LoadRequest request(SlotName slot, CauseCode why, boolean force) {
        return new LoadRequest(
                Samples.plan(slot, "small"), "n" + counter++, true, false, force, OptionalLong.empty(), why);
    }

    private void closeGate(SlotName slot) {
        on(new SlotEvent.GateClosed(slot, new ClosedGate(life(slot), 0)));
    }

    private void stopped(SlotName slot) {
        on(new SlotEvent.Stopped(slot, life(slot)));
    }

    private void on(SlotEvent event) {
        apply(Scheduler.step(state, event, now, world()));
    }

    private void tick() {
        apply(Scheduler.tick(state, now, world()));
    }

    private void apply(Scheduler.Step step) {
        state = step.state();
        for (SlotEffect effect : step.effects()) {
            effects.add(effect);
            switch (effect) {
                case SlotEffect.Finish(var ids, String message) -> told(ids, "finished");
                case SlotEffect.Fail(var ids, Hal0Exception why) ->
                    told(ids, "failed " + why.code().code());
                case SlotEffect.Cancel(var ids, String message) -> told(ids, "cancelled");
                default -> {}
            }
        }
    }

    private void told(java.util.Collection<OperationId> ids, String how) {
        ids.stream().filter(id -> id.equals(ENTER) || id.equals(LEAVE)).forEach(id -> ended.add(id + " " + how));
    }

    private Phase phase() {
        return state.mode().phase();
    }

    /** Of which slots a load was asked since the beginning. */
    private List<SlotName> asked() {
        return effects.stream()
                .filter(effect -> effect instanceof SlotEffect.Reload)
                .map(effect -> ((SlotEffect.Reload) effect).slot())
                .sorted()
                .toList();
    }

    private SlotState stateOf(SlotName slot) {
        return state.machine(slot).orElseThrow().state();
    }

    private String nonce(SlotName slot) {
        return state.machine(slot).flatMap(SlotMachine::launch).orElseThrow().nonce();
    }

    private Incarnation life(SlotName slot) {
        return state.machine(slot)
                .flatMap(SlotMachine::launch)
                .flatMap(Launch::incarnation)
                .orElseThrow();
    }

    /** Of the last operation on the slot that failed. */
    private Hal0Exception failure(SlotName slot) {
        return effects.stream()
                .filter(effect -> effect instanceof SlotEffect.Fail)
                .map(effect -> ((SlotEffect.Fail) effect).why())
                .filter(why -> why.message().contains("slot " + slot + " "))
                .reduce((first, second) -> second)
                .orElseGet(() ->
                        new Hal0Exception(ErrorCode.SYSTEM_INTERNAL, OptionalInt.empty() + " no failure of " + slot));
    }
}
