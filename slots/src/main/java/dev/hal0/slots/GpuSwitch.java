package dev.hal0.slots;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.SlotName;
import dev.hal0.slots.GpuMode.Phase;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;

/**
 * Moves the GPU between language models and image generation, for one step. What is under way is kept in {@link GpuMode}, so
 * that every phase has an end: a slot that does not leave brings the models back, a slot that does not come back is told by
 * its name and does not hold up the others, and a control plane that died in between goes on from the recorded phase.
 *
 * <p>The recorded phase is durable before the first slot is asked to leave. From then on no model is let onto the GPU, so a
 * steady stream of requests cannot keep image mode from beginning.
 */
final class GpuSwitch {
    /** Shortest hint to come again: a restore takes that long at least. */
    private static final Duration LEAST_RETRY = Duration.ofSeconds(15);

    /** The slots, as the scheduler has them during this step. */
    interface Slots {
        SchedulerState state();

        void live(SlotName slot, Consumer<SlotLife> change);
    }

    private final Slots slots;
    private final Instant now;
    private final Observation world;
    private final List<SlotEffect> effects;
    private GpuMode mode;

    /** @param effects are added to */
    GpuSwitch(GpuMode mode, Slots slots, Instant now, Observation world, List<SlotEffect> effects) {
        this.mode = mode;
        this.slots = slots;
        this.now = now;
        this.world = world;
        this.effects = effects;
    }

    GpuMode mode() {
        return mode;
    }

    void handle(SlotEvent event) {
        switch (event) {
            case SlotEvent.ImageModeWanted(SlotName slot, OperationId operation, boolean force, boolean pin) ->
                wantImages(operation, force, pin);
            case SlotEvent.InferenceModeWanted(SlotName slot, OperationId operation, boolean force) ->
                wantInference(operation, force);
            case SlotEvent.ImageModePinned(SlotName slot, boolean pinned) -> pin(pinned);
            case SlotEvent.ModeNotDurable(SlotName slot, Hal0Exception why) -> notDurable(why);
            case SlotEvent.NotLoadable(SlotName slot, Hal0Exception why) -> notLoadable(slot, why);
            // A load that this switch asked for has reached its slot.
            case SlotEvent.LoadWanted wanted -> mode = mode.heardOf(wanted.slot());
            case SlotEvent.UnloadWanted wanted -> unwanted(wanted.slot());
            case SlotEvent.Forgotten forgotten -> unwanted(forgotten.slot());
            default -> {}
        }
    }

    // Wishes

    private void wantImages(OperationId operation, boolean force, boolean pin) {
        switch (mode.phase()) {
            case INFERENCE -> {
                if (imageSlots().isEmpty()) {
                    fail(
                            Set.of(operation),
                            new Hal0Exception(ErrorCode.GPU_IMAGE_SLOT_MISSING, "There is no image slot on a GPU."));
                    return;
                }
                List<SlotName> taken = slots.state().machines().values().stream()
                        .filter(machine -> isIn(machine.slot(), Lane.INFERENCE) && machine.isWanted())
                        .map(SlotMachine::slot)
                        .toList();
                mode = mode.withSaved(taken)
                        .withoutFailures()
                        .withPinned(pin)
                        .withForce(force)
                        .withOperations(Set.of(operation));
                enter(Phase.ENTERING);
                vacate(Lane.INFERENCE, CauseCode.IMAGE_MODE);
            }
            case ENTERING -> {
                mode = mode.withOperations(SlotTurn.with(mode.operations(), operation))
                        .withPinned(mode.pinned() || pin);
                if (force && !mode.force()) {
                    mode = mode.withForce(true);
                    vacate(Lane.INFERENCE, CauseCode.IMAGE_MODE);
                }
                persist();
            }
            case IMAGE -> {
                mode = mode.withPinned(mode.pinned() || pin)
                        .withOperations(SlotTurn.with(mode.operations(), operation));
                if (imageSlots().stream().noneMatch(this::isOnItsWay)) {
                    ask(Set.of(imageSlots().getFirst()), CauseCode.IMAGE_MODE);
                }
                persist();
            }
            case LEAVING, RESTORING ->
                fail(
                        Set.of(operation),
                        new Hal0Exception(ErrorCode.GPU_SWITCHING, "The GPU is just given back to the models.")
                                .withRetryAfter(LEAST_RETRY));
        }
    }

    private void wantInference(OperationId operation, boolean force) {
        switch (mode.phase()) {
            case INFERENCE -> finish(Set.of(operation), "already there");
            case ENTERING -> {
                cancel("the models were asked back");
                mode = mode.withOperations(Set.of(operation));
                leave(force);
            }
            case IMAGE -> {
                if (mode.pinned() && !force) {
                    fail(Set.of(operation), new Hal0Exception(ErrorCode.GPU_PINNED, "Image mode is pinned."));
                    return;
                }
                cancel("the models were asked back");
                mode = mode.withOperations(Set.of(operation));
                leave(force);
            }
            case LEAVING -> {
                mode = mode.withOperations(SlotTurn.with(mode.operations(), operation));
                if (force && !mode.force()) {
                    leave(true);
                }
            }
            case RESTORING -> mode = mode.withOperations(SlotTurn.with(mode.operations(), operation));
        }
    }

    private void pin(boolean pinned) {
        if (!mode.is(Phase.INFERENCE) && mode.pinned() != pinned) {
            mode = mode.withPinned(pinned);
            persist();
        }
    }

    /** The record could not be written: nothing may depend on it, so the change is called off. */
    private void notDurable(Hal0Exception why) {
        if (mode.is(Phase.ENTERING)) {
            giveUp(why);
        }
    }

    // What is heard of slots

    private void notLoadable(SlotName slot, Hal0Exception why) {
        mode = mode.heardOf(slot);
        if (mode.is(Phase.RESTORING) && mode.saved().contains(slot)) {
            mode = mode.withFailed(slot, why.message());
        } else if (mode.is(Phase.IMAGE) && !mode.operations().isEmpty() && isIn(slot, Lane.IMAGE)) {
            giveUp(why);
        }
    }

    /** Taken out by hand, it does not come back by itself. */
    private void unwanted(SlotName slot) {
        if (mode.saved().contains(slot)) {
            mode = mode.withRestored(slot).heardOf(slot);
            persist();
        }
    }

    /** A control plane that died in the middle: goes on where that leads to a settled phase. */
    void recover() {
        switch (mode.phase()) {
            case INFERENCE -> {
                // The record was lost while images were made.
                if (anyRuns(Lane.IMAGE)) {
                    leave(false);
                }
            }
            case ENTERING, LEAVING, RESTORING -> leave(false);
            case IMAGE -> {
                if (anyRuns(Lane.INFERENCE)) {
                    enter(Phase.ENTERING);
                    vacate(Lane.INFERENCE, CauseCode.IMAGE_MODE);
                }
            }
        }
    }

    void tick() {
        if (!mode.is(Phase.IMAGE)
                || mode.pinned()
                || !mode.operations().isEmpty()
                || world.limits().imageIdle().isZero()) {
            return;
        }
        boolean quiet = imageSlots().stream()
                .allMatch(slot -> world.of(slot).map(Observation.Use::isQuiet).orElse(true));
        if (quiet && !remaining().isPositive()) {
            leave(false);
        }
    }

    /** What follows from how far the slots have come; called after every event. */
    void advance() {
        // A phase that ends may be followed by one that has nothing left to do.
        Phase before;
        do {
            before = mode.phase();
            switch (mode.phase()) {
                case INFERENCE -> {}
                case ENTERING -> advanceEntering();
                case IMAGE -> advanceImage();
                case LEAVING -> advanceLeaving();
                case RESTORING -> advanceRestoring();
            }
        } while (mode.phase() != before);
    }

    private void advanceEntering() {
        Optional<SlotMachine> stays = stays(Lane.INFERENCE);
        if (stays.isPresent()) {
            giveUp(stays.get()
                    .failure()
                    .orElseGet(() -> new Hal0Exception(
                                    ErrorCode.SLOT_BUSY,
                                    "Slot " + stays.get().slot()
                                            + " is still serving: image mode was not entered. Use force to"
                                            + " end its requests.")
                            .withRetryAfter(LEAST_RETRY)));
        } else if (!anyRuns(Lane.INFERENCE)) {
            enter(Phase.IMAGE);
            if (!mode.operations().isEmpty() && imageSlots().stream().noneMatch(this::isOnItsWay)) {
                ask(Set.of(imageSlots().getFirst()), CauseCode.IMAGE_MODE);
            }
        }
    }

    private void advanceImage() {
        if (mode.operations().isEmpty() || !mode.asked().isEmpty()) {
            return;
        }
        List<SlotMachine> machines = machines(Lane.IMAGE);
        if (machines.stream().anyMatch(machine -> machine.state() == SlotState.READY)) {
            finish(mode.operations(), "image mode");
            mode = mode.withOperations(Set.of());
            enter(Phase.IMAGE);
        } else if (machines.stream().noneMatch(SlotMachine::isUnderWay)) {
            giveUp(machines.stream()
                    .flatMap(machine -> machine.failure().stream())
                    .findFirst()
                    .orElseGet(() ->
                            new Hal0Exception(ErrorCode.GPU_IMAGE_NOT_READY, "The image slot did not become ready.")));
        }
    }

    private void advanceLeaving() {
        Optional<SlotMachine> stays = stays(Lane.IMAGE);
        if (stays.isPresent()) {
            fail(
                    mode.operations(),
                    stays.get()
                            .failure()
                            .orElseGet(() -> new Hal0Exception(
                                            ErrorCode.GPU_BUSY, "An image is still being made. Use force to end it.")
                                    .withRetryAfter(LEAST_RETRY)));
            mode = mode.withOperations(Set.of());
            enter(Phase.IMAGE);
        } else if (!anyRuns(Lane.IMAGE)) {
            enter(Phase.RESTORING);
            ask(new TreeSet<>(mode.saved()), CauseCode.IMAGE_MODE_LEFT);
        }
    }

    private void advanceRestoring() {
        for (SlotName slot : mode.saved()) {
            if (mode.asked().contains(slot)) {
                continue;
            }
            Optional<SlotMachine> machine = slots.state().machine(slot);
            if (machine.filter(SlotMachine::isUnderWay).isPresent()) {
                continue;
            }
            if (machine.filter(one -> one.state() == SlotState.READY).isPresent()) {
                mode = mode.withRestored(slot);
            } else {
                mode = mode.withFailed(
                        slot,
                        machine.flatMap(SlotMachine::failure)
                                .map(Hal0Exception::message)
                                .orElse("it was not loaded"));
            }
        }
        if (mode.saved().isEmpty()) {
            finish(
                    mode.operations(),
                    mode.failed().isEmpty() ? "the models are back" : "not every model came back: " + mode.failed());
            mode = mode.withOperations(Set.of()).withPinned(false).withForce(false);
            enter(Phase.INFERENCE);
        }
    }

    /** Why a load of this slot may not begin now; empty if it may. */
    Optional<Hal0Exception> guard(SlotName slot) {
        boolean images = mode.is(Phase.ENTERING) || mode.is(Phase.IMAGE);
        if (isIn(slot, Lane.INFERENCE) && images) {
            return Optional.of(new Hal0Exception(
                            ErrorCode.GPU_IMAGE_MODE,
                            "The GPU makes images now; slot " + slot + " comes back when image mode is left.")
                    .withRetryAfter(remaining().compareTo(LEAST_RETRY) > 0 ? remaining() : LEAST_RETRY));
        }
        if (isIn(slot, Lane.IMAGE) && !mode.is(Phase.IMAGE)) {
            return Optional.of(new Hal0Exception(
                            ErrorCode.GPU_INFERENCE_MODE,
                            "The GPU belongs to language models now; slot " + slot + " needs image mode.")
                    .withRetryAfter(LEAST_RETRY));
        }
        return Optional.empty();
    }

    /** Why a load waits for the switch itself; it is not refused, because its turn comes by itself. */
    Optional<String> pause(SlotName slot) {
        return mode.is(Phase.LEAVING) && isIn(slot, Lane.INFERENCE)
                ? Optional.of("waits until image mode is left")
                : Optional.empty();
    }

    // How it is done

    /** Back to the models, because of this. */
    private void giveUp(Hal0Exception why) {
        fail(mode.operations(), why);
        mode = mode.withOperations(Set.of());
        leave(false);
    }

    private void leave(boolean force) {
        mode = mode.withForce(force).withAsked(Set.of());
        enter(Phase.LEAVING);
        vacate(Lane.IMAGE, CauseCode.IMAGE_MODE_LEFT);
    }

    private void vacate(Lane lane, CauseCode why) {
        machines(lane).forEach(machine -> slots.live(machine.slot(), life -> life.vacate(mode.force(), why)));
    }

    private void ask(Set<SlotName> wanted, CauseCode why) {
        mode = mode.withAsked(wanted);
        wanted.forEach(slot -> effects.add(new SlotEffect.Reload(slot, why)));
    }

    private void enter(Phase phase) {
        mode = mode.entered(phase, now);
        persist();
        effects.add(new SlotEffect.PublishMode(mode));
    }

    private void persist() {
        effects.add(new SlotEffect.PersistMode(mode));
    }

    private void cancel(String why) {
        effects.add(new SlotEffect.Cancel(mode.operations(), why));
        mode = mode.withOperations(Set.of());
    }

    private void fail(Set<OperationId> operations, Hal0Exception why) {
        effects.add(new SlotEffect.Fail(operations, why));
    }

    private void finish(Set<OperationId> operations, String message) {
        effects.add(new SlotEffect.Finish(operations, message));
    }

    /** Until the models come back by themselves; zero if that is due, or never happens. */
    private Duration remaining() {
        Instant used = imageSlots().stream()
                .flatMap(slot -> world.of(slot).flatMap(Observation.Use::lastUsed).stream())
                .filter(mode.since()::isBefore)
                .max(Instant::compareTo)
                .orElse(mode.since());
        Duration left = Duration.between(now, used.plus(world.limits().imageIdle()));
        return left.isNegative() ? Duration.ZERO : left;
    }

    /** One that was asked to leave and is not leaving: its drain ran out, or it could not be stopped. */
    private Optional<SlotMachine> stays(Lane lane) {
        return machines(lane).stream()
                .filter(machine -> machine.launch().isPresent()
                        && !machine.isClosing()
                        && (machine.state() == SlotState.READY || machine.state() == SlotState.ERROR))
                .findFirst();
    }

    private boolean anyRuns(Lane lane) {
        return machines(lane).stream().anyMatch(machine -> machine.launch().isPresent());
    }

    private boolean isOnItsWay(SlotName slot) {
        return slots.state()
                .machine(slot)
                .filter(machine -> machine.isUnderWay() || machine.state() == SlotState.READY)
                .isPresent();
    }

    private List<SlotMachine> machines(Lane lane) {
        return slots.state().machines().values().stream()
                .filter(machine -> isIn(machine.slot(), lane))
                .toList();
    }

    private List<SlotName> imageSlots() {
        return world.slots().keySet().stream()
                .filter(slot -> isIn(slot, Lane.IMAGE))
                .sorted()
                .toList();
    }

    private boolean isIn(SlotName slot, Lane lane) {
        return world.of(slot).filter(use -> use.residency().lane() == lane).isPresent();
    }
}
