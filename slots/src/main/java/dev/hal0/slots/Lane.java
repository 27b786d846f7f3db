package dev.hal0.slots;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;

/** What a slot's work shares its device with: which workloads may never be there at the same time. */
public enum Lane {
    /** The CPU: anything beside anything. */
    SHARED,
    /** Language models and their like on the GPU: beside one another, never beside {@link #IMAGE}. */
    INFERENCE,
    /** Image generation on the GPU, which takes all of it. */
    IMAGE,
    /** The NPU has one hardware context: one workload, whatever slots it serves. */
    NPU;

    static Lane of(Device device, SlotType type) {
        if (device == Device.NPU) {
            return NPU;
        }
        if (!device.isGpu()) {
            return SHARED;
        }
        return type == SlotType.IMAGE ? IMAGE : INFERENCE;
    }

    /** Whether a workload of this lane can run only when none of the other does. */
    boolean excludes(Lane other) {
        return switch (this) {
            case SHARED -> false;
            case INFERENCE -> other == IMAGE;
            case IMAGE -> other == INFERENCE;
            case NPU -> other == NPU;
        };
    }

    @JsonValue
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
