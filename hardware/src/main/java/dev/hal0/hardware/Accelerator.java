package dev.hal0.hardware;

import com.fasterxml.jackson.annotation.JsonValue;

/** The best device that this process can use, whatever {@link HostRuntime} it runs in. */
public enum Accelerator {
    STRIX_HALO("strix-halo"),
    AMD_GPU("amd-gpu"),
    NVIDIA_GPU("nvidia-gpu"),
    INTEL_GPU("intel-gpu"),
    NONE("none");

    private final String word;

    Accelerator(String word) {
        this.word = word;
    }

    @JsonValue
    public String word() {
        return word;
    }
}
