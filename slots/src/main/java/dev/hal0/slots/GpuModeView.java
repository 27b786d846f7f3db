package dev.hal0.slots;

import dev.hal0.kernel.SlotName;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * Who the GPU belongs to.
 *
 * @param phase {@code inference}, {@code entering}, {@code image}, {@code leaving} or {@code restoring}
 * @param saved slots that come back when image mode is left
 * @param pinned image mode is not left by itself
 * @param failed slots that did not come back, and why
 */
public record GpuModeView(
        String phase, Instant since, List<SlotName> saved, boolean pinned, Map<SlotName, String> failed) {
    static GpuModeView of(GpuMode mode, UnaryOperator<Instant> shown) {
        return new GpuModeView(
                mode.phase().label(), shown.apply(mode.since()), mode.saved(), mode.pinned(), mode.failed());
    }
}
