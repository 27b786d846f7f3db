package dev.hal0.slots.profile;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;

/** The programming interface of a GPU that a profile is made for. */
public enum GpuBackend {
    ROCM,
    VULKAN,
    CUDA;

    @JsonValue
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
