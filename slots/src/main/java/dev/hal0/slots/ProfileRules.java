package dev.hal0.slots;

import dev.hal0.slots.profile.GpuBackend;
import dev.hal0.slots.profile.Profile;
import dev.hal0.slots.profile.ProfileEntry;
import dev.hal0.slots.profile.Profiles;
import java.util.Optional;

/** Which profile a slot runs with, and which fit its device. */
final class ProfileRules {
    private ProfileRules() {}

    /**
     * The named one; where it is gone, or none is named, the one of the slot's device and type: a vanished profile never
     * keeps a slot from starting.
     */
    static Profile effective(SlotDefinition definition, Profiles profiles) {
        return definition
                .options()
                .profile()
                .flatMap(profiles::find)
                .or(() -> defaultName(definition.device(), definition.type()).flatMap(profiles::find))
                .map(ProfileEntry::profile)
                .orElse(Profile.NONE);
    }

    /** What is worth saying about the slot's profile. */
    static Optional<String> warning(SlotDefinition definition, Profiles profiles) {
        return definition
                .options()
                .profile()
                .filter(name -> profiles.find(name).isEmpty())
                .map(name -> "profile '" + name + "' is gone; '"
                        + effective(definition, profiles).name() + "' is used in its place");
    }

    static Optional<String> defaultName(Device device, SlotType type) {
        if (device == Device.NPU) {
            return Optional.of("flm");
        }
        return switch (type) {
            case LLM ->
                Optional.of(
                        switch (device) {
                            case GPU_ROCM -> "rocm";
                            case GPU_VULKAN -> "vulkan";
                            case GPU_CUDA -> "cuda";
                            // Chat must get a profile that is made for chat, also without a GPU.
                            case CPU, NPU -> "cpu-llm";
                        });
            case EMBEDDING -> Optional.of("embed");
            case RERANKING -> Optional.of("rerank");
            case TTS -> Optional.of("tts");
            case IMAGE -> Optional.of("comfyui");
            case TRANSCRIPTION -> Optional.empty();
        };
    }

    static boolean fits(Profile profile, Device device) {
        return switch (profile.deviceClass()) {
            case ANY -> true;
            case CPU -> device == Device.CPU;
            case NPU -> device == Device.NPU;
            case GPU, IMG ->
                device.isGpu()
                        && profile.backend().map(api -> deviceOf(api) == device).orElse(true);
        };
    }

    /** The one device that a profile is made for; empty where there are several. */
    static Optional<Device> device(Profile profile) {
        return switch (profile.deviceClass()) {
            case CPU -> Optional.of(Device.CPU);
            case NPU -> Optional.of(Device.NPU);
            case GPU, IMG -> profile.backend().map(ProfileRules::deviceOf);
            case ANY -> Optional.empty();
        };
    }

    private static Device deviceOf(GpuBackend api) {
        return switch (api) {
            case ROCM -> Device.GPU_ROCM;
            case VULKAN -> Device.GPU_VULKAN;
            case CUDA -> Device.GPU_CUDA;
        };
    }
}
