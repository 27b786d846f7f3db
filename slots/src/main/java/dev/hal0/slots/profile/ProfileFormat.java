package dev.hal0.slots.profile;

import dev.hal0.kernel.NearMatch;
import dev.hal0.kernel.TomlDocument;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/** Reads one table of {@code profiles.toml}, strictly; what it leaves out is as in the profile it changes. */
final class ProfileFormat {
    private static final Set<String> KEYS = Set.of(
            "engine", "image", "flags", "mtp", "device_class", "backend", "devices", "intent", "quant", "cloned_from");

    private ProfileFormat() {}

    /** @param base the seed of this name, or what a person's own profile has by default */
    static Profile read(TomlDocument document, Profile base) {
        List<String> table = List.of(base.name());
        document.requireOnlyKeys(table, KEYS);
        return new Profile(
                base.name(),
                text(document, base.name(), "engine").orElse(base.engine()),
                text(document, base.name(), "image").or(base::image),
                text(document, base.name(), "flags").orElse(base.flags()),
                document.bool(List.of(base.name(), "mtp")).orElse(base.mtp()),
                word(document, base.name(), "device_class", ProfileClass.values(), ProfileClass::label)
                        .orElse(base.deviceClass()),
                word(document, base.name(), "backend", GpuBackend.values(), GpuBackend::label)
                        .or(base::backend),
                document.strings(List.of(base.name(), "devices")).orElse(base.devices()),
                text(document, base.name(), "intent").orElse(base.intent()),
                text(document, base.name(), "quant").orElse(base.quant()),
                text(document, base.name(), "cloned_from").or(base::clonedFrom));
    }

    /** What a table without a seed starts from. */
    static Profile own(String name) {
        return Profile.of(name, "llama.cpp", ProfileClass.GPU, "", "");
    }

    private static Optional<String> text(TomlDocument document, String name, String key) {
        Optional<String> given = document.string(List.of(name, key));
        if (given.isPresent() && given.get().chars().anyMatch(Character::isISOControl)) {
            throw document.fault(List.of(name, key), "must not contain control characters");
        }
        return given;
    }

    private static <E> Optional<E> word(
            TomlDocument document, String name, String key, E[] values, Function<E, String> label) {
        Optional<String> given = document.string(List.of(name, key)).filter(word -> !word.isBlank());
        if (given.isEmpty()) {
            return Optional.empty();
        }
        List<String> known = Arrays.stream(values).map(label).toList();
        return Optional.of(Arrays.stream(values)
                .filter(value -> label.apply(value).equals(given.get()))
                .findFirst()
                .orElseThrow(() -> document.fault(
                        List.of(name, key),
                        "is '" + given.get() + "'; it can be " + known + NearMatch.hint(given.get(), known))));
    }
}
