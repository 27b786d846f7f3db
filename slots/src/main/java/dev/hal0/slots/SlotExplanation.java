package dev.hal0.slots;

import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.SlotName;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Why a slot does not run, or that it does.
 *
 * @param runs whether requests reach it now
 * @param reasons the one that matters first; empty only for a slot that runs and has nothing to say
 */
public record SlotExplanation(SlotName slot, boolean runs, SlotState state, List<Reason> reasons) {
    /**
     * @param because one sentence
     * @param change what would change that; empty where nothing needs to be done
     */
    public record Reason(String because, String change) {}

    /**
     * @param plan what a load would start, or why it cannot
     * @param evidence of the last decision about room
     */
    static SlotExplanation of(
            SlotView view,
            SlotMachine machine,
            Optional<Hal0Exception> plan,
            LaunchDrift drift,
            boolean waits,
            Optional<RoomEvidence> evidence) {
        var reasons = new ArrayList<Reason>();
        boolean runs = view.state().isDispatchable() && view.enabled();
        if (view.configError() != null) {
            reasons.add(new Reason(
                    "Its file is not in force: " + view.configError(),
                    "Correct slots/" + view.name() + ".toml; it is read again within seconds."));
        }
        if (!view.enabled()) {
            reasons.add(new Reason("It is disabled.", "Set `enabled = true` in slots/" + view.name() + ".toml."));
        }
        plan.ifPresent(why -> reasons.add(new Reason(
                "It could not be started now: " + why.message(), why.code().remedy())));
        if (waits) {
            reasons.add(new Reason(
                    "Its load is in the line: " + view.message() + ".",
                    "`hal0 slot load " + view.name() + " --force` loads it although it does not fit."));
        } else if (machine.launch().isEmpty()
                && machine.failure().isEmpty()
                && evidence.filter(last -> last.reason().startsWith("does not fit"))
                        .isPresent()) {
            reasons.add(new Reason(
                    "The last load was refused: it " + evidence.get().reason() + ".",
                    "Unload or unpin what holds the memory, or choose a smaller model or context."));
        }
        machine.failure()
                .ifPresent(why -> reasons.add(new Reason(
                        (machine.failures() == 1
                                        ? "The last attempt failed: "
                                        : machine.failures() + " attempts in a row failed: ")
                                + why.message(),
                        machine.desired()
                                ? "It is tried again by itself, each time later; `hal0 slot load " + view.name()
                                        + "` tries at once, `hal0 slot logs " + view.name()
                                        + "` shows the engine's words."
                                : "`hal0 slot logs " + view.name() + "` shows the engine's words.")));
        if (view.state().isTransitional()) {
            reasons.add(new Reason("It is " + view.state().label() + ": " + view.message() + ".", ""));
        }
        if (reasons.isEmpty() && !runs) {
            reasons.add(offline(view, machine));
        }
        if (runs && view.configDirty()) {
            reasons.add(new Reason(
                    "It runs, but with an older configuration than its file has" + describe(drift) + ".",
                    "`hal0 slot restart " + view.name() + "` applies it when nobody is inside."));
        }
        return new SlotExplanation(view.name(), runs, view.state(), reasons);
    }

    private static String describe(LaunchDrift drift) {
        if (drift.problem() != null) {
            return ", which describes nothing that could be started: " + drift.problem();
        }
        return drift.differences().isEmpty()
                ? ""
                : ": "
                        + drift.differences().stream()
                                .map(difference -> difference.what() + " is " + difference.running()
                                        + ", configured is " + difference.configured())
                                .collect(java.util.stream.Collectors.joining("; "));
    }

    private static Reason offline(SlotView view, SlotMachine machine) {
        String load = "The next request loads it; so does `hal0 slot load " + view.name() + "`.";
        return switch (machine.closingCause()) {
            case EVICTED -> new Reason("It gave way to another slot's load.", load);
            case IDLE ->
                new Reason(
                        "Nobody used it for as long as it may be unused.",
                        load + " `unload_after_s = 0` or `pinned = true` in its file keeps it loaded.");
            case MEMORY_PRESSURE -> new Reason("The machine ran short of memory.", load);
            case NEVER_LOADED -> new Reason("Nothing has asked for it yet.", load);
            default -> new Reason("It was unloaded.", load);
        };
    }
}
