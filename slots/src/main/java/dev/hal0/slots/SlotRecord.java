package dev.hal0.slots;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.hal0.kernel.SlotName;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A machine as it is kept in {@code state.json}: what a person may read to know what happened, and what the next control
 * plane starts from. Operations are not kept: whoever waited is gone with the control plane that died.
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
record SlotRecord(
        SlotName name,
        SlotState state,
        Instant since,
        CauseCode cause,
        String message,
        boolean desired,
        int failures,
        @Nullable RecordedLaunch launch,
        @Nullable RecordedMemory measured) {

    /** @param bytes most that a launch of the plan with this hash ever held */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record RecordedMemory(String planHash, long bytes) {
        RecordedMemory {
            requireAll(planHash);
        }
    }

    @JsonInclude(JsonInclude.Include.NON_NULL)
    record RecordedLaunch(
            String nonce,
            @Nullable String incarnation,
            RecordedPlan plan,
            String planHash,
            @Nullable Long needBytes) {
        RecordedLaunch {
            requireAll(nonce, plan);
        }
    }

    /** Paths as text: the file is read by people and by other versions. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record RecordedPlan(
            String engine,
            String program,
            List<String> arguments,
            Map<String, String> environment,
            List<String> readablePaths,
            String keyFile,
            String modelId,
            String host,
            int port,
            int permits,
            Map<String, String> expected,
            @Nullable ContainerFacts container) {
        RecordedPlan {
            requireAll(engine, program, arguments, environment, readablePaths, keyFile, modelId, host, expected);
        }
    }

    SlotRecord {
        requireAll(name, state, since, cause, message);
    }

    /** JSON leaves out what it likes: an incomplete record is an unreadable one. */
    private static void requireAll(Object... values) {
        for (Object value : values) {
            Objects.requireNonNull(value);
        }
    }

    static SlotRecord of(SlotMachine machine) {
        return new SlotRecord(
                machine.slot(),
                machine.state(),
                machine.since(),
                machine.cause(),
                machine.message(),
                machine.desired(),
                machine.failures(),
                machine.launch().map(SlotRecord::record).orElse(null),
                machine.learned()
                        .map(known -> new RecordedMemory(known.planHash(), known.bytes()))
                        .orElse(null));
    }

    /** The machine to reconcile with what runs: nothing is believed to run until it was found. */
    SlotMachine toMachine() {
        SlotState settled = state == SlotState.ERROR ? SlotState.ERROR : SlotState.OFFLINE;
        return new SlotMachine(
                name,
                settled,
                since,
                cause,
                settled == state ? message : "",
                desired,
                Optional.ofNullable(launch).map(this::launch),
                Set.of(),
                Set.of(),
                Optional.empty(),
                Optional.empty(),
                failures,
                Optional.empty(),
                Optional.ofNullable(measured).map(known -> new SlotMachine.Learned(known.planHash(), known.bytes())),
                Optional.empty(),
                SlotMachine.Closing.NO,
                cause);
    }

    private static RecordedLaunch record(Launch launch) {
        LaunchPlan plan = launch.plan();
        var recorded = new RecordedPlan(
                plan.engine(),
                plan.program(),
                plan.arguments(),
                plan.environment(),
                plan.readablePaths().stream().map(Path::toString).toList(),
                plan.keyFile().toString(),
                plan.modelId(),
                plan.host(),
                plan.port(),
                plan.permits(),
                plan.expected(),
                plan.container().orElse(null));
        return new RecordedLaunch(
                launch.nonce(),
                launch.incarnation().map(Incarnation::value).orElse(null),
                recorded,
                plan.hash(),
                launch.needBytes().isPresent() ? launch.needBytes().getAsLong() : null);
    }

    private Launch launch(RecordedLaunch recorded) {
        RecordedPlan plan = recorded.plan();
        var launchPlan = new LaunchPlan(
                name,
                plan.engine(),
                plan.program(),
                plan.arguments(),
                plan.environment(),
                plan.readablePaths().stream().map(Path::of).toList(),
                Path.of(plan.keyFile()),
                plan.modelId(),
                plan.host(),
                plan.port(),
                plan.permits(),
                plan.expected());
        return new Launch(
                recorded.nonce(),
                plan.container() == null ? launchPlan : launchPlan.withContainer(plan.container()),
                recorded.needBytes() == null ? OptionalLong.empty() : OptionalLong.of(recorded.needBytes()),
                Optional.ofNullable(recorded.incarnation()).map(Incarnation::new));
    }
}
