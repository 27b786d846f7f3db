package dev.hal0.slots;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Optional;

/** Where a slot's engine computes. */
public enum Device {
    GPU_ROCM("gpu-rocm"),
    GPU_VULKAN("gpu-vulkan"),
    GPU_CUDA("gpu-cuda"),
    CPU("cpu"),
    NPU("npu");

    private final String label;

    Device(String label) {
        this.label = label;
    }

    @JsonValue
    public String label() {
        return label;
    }

    /** Also by the words of files from before {@code gpu-} was written. */
    static Optional<Device> named(String word) {
        return switch (word) {
            case "gpu-rocm", "rocm" -> Optional.of(GPU_ROCM);
            case "gpu-vulkan", "vulkan" -> Optional.of(GPU_VULKAN);
            case "gpu-cuda", "cuda" -> Optional.of(GPU_CUDA);
            case "cpu" -> Optional.of(CPU);
            case "npu", "flm" -> Optional.of(NPU);
            default -> Optional.empty();
        };
    }

    public boolean isGpu() {
        return this == GPU_ROCM || this == GPU_VULKAN || this == GPU_CUDA;
    }
}
