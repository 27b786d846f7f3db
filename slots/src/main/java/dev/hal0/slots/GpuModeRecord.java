package dev.hal0.slots;

import dev.hal0.kernel.SlotName;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What is kept of {@link GpuMode}: enough to go on, or back, after the control plane died in the middle of a change. */
record GpuModeRecord(
        GpuMode.Phase phase, Instant since, List<SlotName> saved, boolean pinned, Map<SlotName, String> failed) {
    static GpuModeRecord of(GpuMode mode) {
        return new GpuModeRecord(mode.phase(), mode.since(), mode.saved(), mode.pinned(), mode.failed());
    }

    /** JSON leaves out what it likes. */
    @SuppressWarnings("NullAway")
    GpuMode toMode() {
        return new GpuMode(
                phase == null ? GpuMode.Phase.INFERENCE : phase,
                since == null ? Instant.EPOCH : since,
                saved == null ? List.of() : saved,
                Set.of(),
                pinned,
                false,
                Set.of(),
                failed == null ? Map.of() : failed);
    }
}
