package dev.hal0.slots.profile;

import java.util.List;
import java.util.Optional;

/**
 * A reusable way to run an engine.
 *
 * @param name of the same grammar as a slot's
 * @param engine the family that its flags are written for; only that family gets them
 * @param image where slots run in containers: a toolbox class such as {@code vulkan}, or an image reference; empty for the
 *     engine's own choice
 * @param flags engine flags, split as a shell would; without those that hal0 must own
 * @param mtp whether models that can predict several tokens at once do so
 * @param backend empty for any
 * @param devices container device interface names such as {@code nvidia.com/gpu=all}, beside those of the slot's device
 * @param intent what it is for, in words
 * @param quant the quantization it was made for, in words
 * @param clonedFrom where it came from; says nothing about what it is now
 */
public record Profile(
        String name,
        String engine,
        Optional<String> image,
        String flags,
        boolean mtp,
        ProfileClass deviceClass,
        Optional<GpuBackend> backend,
        List<String> devices,
        String intent,
        String quant,
        Optional<String> clonedFrom) {
    /** For a slot that has none: changes nothing. */
    public static final Profile NONE = of("none", "llama.cpp", ProfileClass.ANY, "", "");

    public Profile {
        devices = List.copyOf(devices);
    }

    static Profile of(String name, String engine, ProfileClass deviceClass, String flags, String intent) {
        return new Profile(
                name,
                engine,
                Optional.empty(),
                flags,
                false,
                deviceClass,
                Optional.empty(),
                List.of(),
                intent,
                "",
                Optional.empty());
    }

    Profile on(GpuBackend api, List<String> cdi) {
        return new Profile(
                name,
                engine,
                Optional.of(api.label()),
                flags,
                mtp,
                deviceClass,
                Optional.of(api),
                cdi,
                intent,
                quant,
                clonedFrom);
    }

    Profile withImage(String reference) {
        return new Profile(
                name,
                engine,
                Optional.of(reference),
                flags,
                mtp,
                deviceClass,
                backend,
                devices,
                intent,
                quant,
                clonedFrom);
    }

    Profile withMtp() {
        return new Profile(name, engine, image, flags, true, deviceClass, backend, devices, intent, quant, clonedFrom);
    }
}
