package dev.hal0.slots;

import com.fasterxml.jackson.annotation.JsonValue;

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

    public boolean isGpu() {
        return this == GPU_ROCM || this == GPU_VULKAN || this == GPU_CUDA;
    }
}
