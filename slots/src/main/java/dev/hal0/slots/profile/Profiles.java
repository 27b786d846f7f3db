package dev.hal0.slots.profile;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.NearMatch;
import dev.hal0.kernel.SlotName;
import dev.hal0.kernel.TomlDocument;
import dev.hal0.kernel.TomlFile;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The profiles: those of this version, changed by what {@code profiles.toml} says of them, and a person's own. The file
 * holds differences only, so a seed that nobody touched is the newest one after an upgrade, and one that somebody touched
 * keeps what they wrote and gets the rest. A table that is not valid leaves its last good content in force.
 *
 * <p>Thread-safe. Who uses a profile is not known here: changes go through {@code SlotDefinitions}, which holds the one
 * lock of the configuration.
 */
public final class Profiles {
    private record Read(
            @Nullable TomlDocument document, Map<String, ProfileEntry> entries, Optional<Hal0Exception> problem) {}

    private final @Nullable TomlFile file;
    private final Consumer<Profile> check;
    private Read last = new Read(null, Map.of(), Optional.empty());

    /** Those of this version alone; nothing can be changed. */
    public static Profiles ofThisVersion() {
        return new Profiles();
    }

    private Profiles() {
        this.file = null;
        this.check = any -> {};
    }

    /** @param check throws for a profile whose flags its engine refuses, with {@code flags} as the param */
    public Profiles(TomlFile file, Consumer<Profile> check) {
        this.file = file;
        this.check = check;
    }

    /** Seeds first, in the order of this version; a person's own by name. */
    public List<ProfileEntry> list() {
        return List.copyOf(read().entries().values());
    }

    public Optional<ProfileEntry> find(String name) {
        return Optional.ofNullable(read().entries().get(name));
    }

    /** @throws Hal0Exception {@code profiles.not_found} naming what exists */
    public ProfileEntry require(String name) {
        Map<String, ProfileEntry> all = read().entries();
        return Optional.ofNullable(all.get(name))
                .orElseThrow(() -> new Hal0Exception(
                        ErrorCode.PROFILE_NOT_FOUND,
                        "No profile '" + name + "'" + NearMatch.hint(name, all.keySet()) + "; there are "
                                + String.join(", ", all.keySet()) + "."));
    }

    /** Why the file as a whole is not in force. */
    public Optional<Hal0Exception> problem() {
        return read().problem();
    }

    /** Changes with what is said of the profile. */
    public String etag(String name) {
        Profile profile = require(name).profile();
        return Integer.toHexString(profile.toString().hashCode()) + "-" + name.length();
    }

    /**
     * Changes what the file says of one profile; creates the profile when there is none of the name.
     *
     * @param change of the whole document; only the table of this name is looked at
     * @param verdict throws to refuse the result
     */
    public Profile change(String name, UnaryOperator<TomlDocument> change, Consumer<Profile> verdict) {
        requireName(name);
        writable().update(document -> {
            TomlDocument changed = change.apply(document);
            Profile result = entry(name, changed);
            verdict.accept(result);
            return changed;
        });
        return require(name).profile();
    }

    /** Takes back everything that the file says of a profile. */
    public void forget(String name) {
        require(name);
        writable().update(document -> document.without(List.of(name)));
    }

    private TomlFile writable() {
        if (file == null) {
            throw new IllegalStateException("these profiles have no file");
        }
        return file;
    }

    private Profile entry(String name, TomlDocument document) {
        Profile seed = SeedProfiles.ALL.get(name);
        Profile profile = ProfileFormat.read(document, seed == null ? ProfileFormat.own(name) : seed);
        try {
            check.accept(profile);
        } catch (Hal0Exception refused) {
            throw refused.withParam(name + "." + refused.param().orElse("flags"));
        }
        return profile;
    }

    private static void requireName(String name) {
        if (!SlotName.isValid(name)) {
            throw new Hal0Exception(
                            ErrorCode.CONFIG_INVALID,
                            "'" + name + "' is no name for a profile: lower-case letters, digits, '-' and '_', starting"
                                    + " with a letter or digit, at most 32 characters.")
                    .withParam("name");
        }
    }

    private synchronized Read read() {
        TomlDocument document;
        try {
            document = Optional.ofNullable(file)
                    .flatMap(TomlFile::read)
                    .orElseGet(() -> TomlDocument.empty("profiles.toml"));
        } catch (Hal0Exception unreadable) {
            Map<String, ProfileEntry> known = last.entries().isEmpty() ? seeds() : last.entries();
            last = new Read(null, known, Optional.of(unreadable));
            return last;
        }
        if (last.document() == null || !document.equals(last.document())) {
            last = new Read(document, entries(document), Optional.empty());
        }
        return last;
    }

    private Map<String, ProfileEntry> entries(TomlDocument document) {
        Map<String, ProfileEntry> entries = seeds();
        for (String name : new TreeSet<>(document.keys(List.of()))) {
            boolean seed = SeedProfiles.ALL.containsKey(name);
            try {
                requireName(name);
                entries.put(name, new ProfileEntry(entry(name, document), seed, true, Optional.empty()));
            } catch (Hal0Exception invalid) {
                Profile inForce = Optional.ofNullable(last.entries().get(name))
                        .or(() -> Optional.ofNullable(entries.get(name)))
                        .map(ProfileEntry::profile)
                        .orElseGet(() -> ProfileFormat.own(name));
                entries.put(name, new ProfileEntry(inForce, seed, true, Optional.of(invalid)));
            }
        }
        return entries;
    }

    private static Map<String, ProfileEntry> seeds() {
        var entries = new LinkedHashMap<String, ProfileEntry>();
        SeedProfiles.ALL.forEach(
                (name, seed) -> entries.put(name, new ProfileEntry(seed, true, false, Optional.empty())));
        return entries;
    }
}
