package dev.hal0.hardware;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The neural processor. Immutable; null means unknown.
 *
 * @param present whether there is one, usable or not
 * @param vendor {@code amd} or {@code intel}
 * @param generation {@code xdna1}, {@code xdna2}; null for other makers
 * @param pciId {@code 1022:17f0}
 * @param driver kernel driver; null also when none is bound
 * @param accelPath {@code /dev/accel/accel0}; null when there is no node here
 * @param access what opening that node gave
 * @param aieColumns width of the AMD compute array
 */
public record Npu(
        boolean present,
        @Nullable String vendor,
        @Nullable String name,
        @Nullable String generation,
        @Nullable String pciId,
        @Nullable String driver,
        @Nullable String accelPath,
        NodeAccess access,
        @Nullable Integer aieColumns) {
    static final Npu NONE = new Npu(false, null, null, null, null, null, null, NodeAccess.ABSENT, null);

    public Npu {
        Objects.requireNonNull(access);
    }

    public boolean usable() {
        return present && access == NodeAccess.USABLE;
    }
}
