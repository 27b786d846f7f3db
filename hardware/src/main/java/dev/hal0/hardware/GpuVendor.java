package dev.hal0.hardware;

import com.fasterxml.jackson.annotation.JsonValue;
import org.jspecify.annotations.Nullable;

/** Who made a GPU. {@code UNKNOWN} covers emulated and server-management display adapters, which are listed too. */
public enum GpuVendor {
    AMD("amd"),
    NVIDIA("nvidia"),
    INTEL("intel"),
    UNKNOWN("unknown");

    private final String word;

    GpuVendor(String word) {
        this.word = word;
    }

    @JsonValue
    public String word() {
        return word;
    }

    /** @param pciId {@code 1002:1586} or null */
    static GpuVendor ofPciId(@Nullable String pciId) {
        if (pciId == null || pciId.length() < 4) {
            return UNKNOWN;
        }
        return switch (pciId.substring(0, 4)) {
            case "1002" -> AMD;
            case "10de" -> NVIDIA;
            case "8086" -> INTEL;
            default -> UNKNOWN;
        };
    }
}
