package dev.hal0.slots;

import dev.hal0.kernel.DurableFiles;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.FileTransaction;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.SlotName;
import dev.hal0.kernel.TomlDocument;
import dev.hal0.kernel.TomlFile;
import dev.hal0.slots.profile.Profile;
import dev.hal0.slots.profile.ProfileEntry;
import dev.hal0.slots.profile.Profiles;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The slot files. Reading follows hand edits; a file that became invalid keeps its last good content in force and says why.
 * Everything that writes goes through one lock and validates the complete result first: names, ports and defaults are unique
 * whoever writes.
 *
 * <p>Thread-safe.
 */
public final class SlotDefinitions {
    private static final String SUFFIX = ".toml";

    private final Path folder;
    private final DurableFiles files;
    private final SlotPolicy policy;
    private final Profiles profiles;
    private final Object lock = new Object();
    private final Map<SlotName, TomlFile> tomlFiles = new HashMap<>();
    private final Map<SlotName, Hal0Exception> problems = new TreeMap<>();
    private volatile Map<SlotName, SlotDefinition> good = new TreeMap<>();

    /** With the profiles of this version alone. */
    public SlotDefinitions(Path folder, DurableFiles files, SlotPolicy policy) {
        this(folder, files, policy, Profiles.ofThisVersion());
    }

    public SlotDefinitions(Path folder, DurableFiles files, SlotPolicy policy, Profiles profiles) {
        this.folder = folder;
        this.files = files;
        this.policy = policy;
        this.profiles = profiles;
    }

    public Profiles profiles() {
        return profiles;
    }

    /** What the slot is run with; see {@link ProfileRules#effective}. */
    Profile profile(SlotDefinition definition) {
        return ProfileRules.effective(definition, profiles);
    }

    /** The slots whose files name the profile, whichever layout they have. */
    public List<SlotName> usersOf(String profile) {
        return list().stream()
                .filter(definition -> definition.options().profile().equals(Optional.of(profile)))
                .map(SlotDefinition::name)
                .toList();
    }

    /**
     * Changes what {@code profiles.toml} says of a profile, or makes one. Nothing is started or stopped by it.
     *
     * @param etag what the caller read, or empty to change whatever is there
     * @param mustBeNew refuses to change one that exists
     * @throws Hal0Exception {@code profiles.exists}, {@code config.invalid}, {@code resource.precondition_failed}, or
     *     {@code profiles.in_use} when a slot that uses it could not be run with the result; the file is unchanged then
     */
    public Profile changeProfile(
            String name, Optional<String> etag, boolean mustBeNew, UnaryOperator<TomlDocument> change) {
        synchronized (lock) {
            if (mustBeNew && profiles.find(name).isPresent()) {
                throw new Hal0Exception(ErrorCode.PROFILE_EXISTS, "Profile '" + name + "' exists already.")
                        .withParam("name");
            }
            requireUnchanged(name, etag);
            return profiles.change(name, change, result -> requireUsable(name, result));
        }
    }

    /** Takes back every edit of a profile that ships with hal0; one that nobody edited stays as it is. */
    public Profile resetProfile(String name, Optional<String> etag) {
        synchronized (lock) {
            ProfileEntry entry = profiles.require(name);
            if (!entry.seed()) {
                throw new Hal0Exception(
                        ErrorCode.PROFILE_NOT_FOUND,
                        "Profile '" + name + "' does not ship with hal0, so there is nothing to go back to.");
            }
            requireUnchanged(name, etag);
            return profiles.change(
                    name, document -> document.without(List.of(name)), result -> requireUsable(name, result));
        }
    }

    /** @throws Hal0Exception {@code profiles.seed_immutable}, {@code profiles.in_use} naming the slots, or not found */
    public void deleteProfile(String name, Optional<String> etag) {
        synchronized (lock) {
            if (profiles.require(name).seed()) {
                throw new Hal0Exception(ErrorCode.PROFILE_SEED, "Profile '" + name + "' ships with hal0.");
            }
            List<SlotName> users = usersOf(name);
            if (!users.isEmpty()) {
                throw new Hal0Exception(
                                ErrorCode.PROFILE_IN_USE,
                                "Profile '" + name + "' is used by "
                                        + users.stream().map(SlotName::value).collect(Collectors.joining(", ")) + ".")
                        .withDetail(
                                "used_by", users.stream().map(SlotName::value).toList());
            }
            requireUnchanged(name, etag);
            profiles.forget(name);
        }
    }

    private void requireUnchanged(String profile, Optional<String> etag) {
        if (etag.isPresent() && !etag.get().equals(profiles.etag(profile))) {
            throw new Hal0Exception(
                    ErrorCode.PRECONDITION_FAILED, "Profile " + profile + " changed since it was read.");
        }
    }

    private void requireUsable(String name, Profile result) {
        for (SlotName user : usersOf(name)) {
            Device device = require(user).device();
            if (!ProfileRules.fits(result, device)) {
                throw new Hal0Exception(
                                ErrorCode.PROFILE_IN_USE,
                                "Slot " + user + " runs on " + device.label() + ", which profile '" + name
                                        + "' would not be for any more.")
                        .withParam(name + ".device_class");
            }
        }
    }

    /** Every slot that has a valid file, or had one since the control plane started; by name. */
    public List<SlotDefinition> list() {
        synchronized (lock) {
            reload();
            return List.copyOf(good.values());
        }
    }

    /** As last read, without looking at the files: at most as old as the last {@link #list}. Never waits. */
    List<SlotDefinition> known() {
        return List.copyOf(good.values());
    }

    public Optional<SlotDefinition> find(SlotName slot) {
        return list().stream()
                .filter(definition -> definition.name().equals(slot))
                .findFirst();
    }

    /** @throws Hal0Exception {@code slot.not_found} naming what exists */
    public SlotDefinition require(SlotName slot) {
        List<SlotDefinition> all = list();
        return all.stream()
                .filter(definition -> definition.name().equals(slot))
                .findFirst()
                .orElseThrow(() -> new Hal0Exception(
                        ErrorCode.SLOT_NOT_FOUND,
                        "No slot '" + slot + "'; there are "
                                + all.stream()
                                        .map(definition -> definition.name().value())
                                        .collect(Collectors.joining(", "))
                                + "."));
    }

    /** Why the slot's file on disk is not in force. */
    public Optional<Hal0Exception> problem(SlotName slot) {
        synchronized (lock) {
            return Optional.ofNullable(problems.get(slot));
        }
    }

    /** Files that are invalid and never were valid: slots that cannot be shown otherwise. */
    public Map<SlotName, Hal0Exception> problems() {
        synchronized (lock) {
            reload();
            return Map.copyOf(problems);
        }
    }

    /** The configuration with every key's effective value, as JSON-able maps. */
    public Map<String, Object> config(SlotName slot) {
        return SlotDefinitionFormat.view(require(slot));
    }

    /** Changes with the file's content; for {@code If-Match}. */
    public String etag(SlotName slot) {
        require(slot);
        String text;
        synchronized (lock) {
            text = toml(slot).read().map(TomlDocument::text).orElse("");
        }
        return Integer.toHexString(text.hashCode()) + "-" + text.length();
    }

    /** Writes the files that every box has, where they are missing. An existing one is never touched. */
    public void seed(List<SlotDefinition> seeds) {
        synchronized (lock) {
            reload();
            for (SlotDefinition seed : seeds) {
                if (!Files.exists(path(seed.name()))) {
                    toml(seed.name()).write(SlotDefinitionFormat.write(beside(seed)));
                    reload();
                }
            }
        }
    }

    /** A person's own slots came first: a seed takes neither their port nor their place as the default. */
    private SlotDefinition beside(SlotDefinition seed) {
        Collection<SlotDefinition> others = good.values();
        boolean taken = others.stream().anyMatch(other -> other.port() == seed.port() && !sharePort(other, seed));
        boolean hasDefault = others.stream().anyMatch(other -> other.isDefault() && other.type() == seed.type());
        return taken || hasDefault
                ? new SlotDefinition(
                        seed.name(),
                        seed.type(),
                        seed.device(),
                        taken ? freePort() : seed.port(),
                        seed.enabled(),
                        seed.isDefault() && !hasDefault,
                        seed.modelId(),
                        seed.contextSize(),
                        seed.gpuLayers(),
                        seed.parallel(),
                        seed.extraArguments(),
                        seed.environment(),
                        seed.keeping(),
                        seed.options())
                : seed;
    }

    public SlotDefinition create(SlotDraft draft) {
        synchronized (lock) {
            reload();
            if (Files.exists(path(draft.name()))) {
                throw new Hal0Exception(ErrorCode.SLOT_ALREADY_EXISTS, "Slot '" + draft.name() + "' exists already.")
                        .withParam("name");
            }
            if (SlotSeeds.RESERVED.contains(draft.name().value())) {
                throw SlotFields.fault("name", "is '" + draft.name() + "', which is kept for the NPU");
            }
            var definition = new SlotDefinition(
                    draft.name(),
                    draft.type(),
                    draft.device(),
                    draft.port().orElseGet(this::freePort),
                    true,
                    draft.isDefault(),
                    draft.modelId(),
                    draft.contextSize(),
                    -1,
                    draft.parallel(),
                    "",
                    Map.of(),
                    Keeping.DEFAULT,
                    SlotOptions.DEFAULT.profile(draft.profile()));
            TomlDocument document = SlotDefinitionFormat.write(definition);
            SlotDefinition read = SlotDefinitionFormat.read(draft.name(), document);
            requireUnique(read, good.values());
            requireProfile(read);
            toml(draft.name()).write(document);
            reload();
            return require(draft.name());
        }
    }

    public void bindModel(SlotName slot, String modelId) {
        update(slot, Optional.empty(), document -> document.with(List.of("model", "default"), modelId));
    }

    /**
     * Changes a slot's file, keeping comments and order. Nothing is started or stopped by it.
     *
     * @param etag what the caller read, or empty to change whatever is there
     * @throws Hal0Exception {@code slot.config_error}, {@code validation.unknown_keys}, {@code resource.precondition_failed};
     *     the file is unchanged then
     */
    public SlotDefinition update(SlotName slot, Optional<String> etag, UnaryOperator<TomlDocument> change) {
        synchronized (lock) {
            require(slot);
            if (etag.isPresent() && !etag.get().equals(etag(slot))) {
                throw new Hal0Exception(
                        ErrorCode.PRECONDITION_FAILED, "The config of slot " + slot + " changed since it was read.");
            }
            toml(slot).update(document -> checked(slot, document, change));
            reload();
            return require(slot);
        }
    }

    /**
     * Changes slots' files and another file in one transaction: all or nothing, also across a crash. A slot that is part of
     * every box and whose file is missing gets it back.
     *
     * @param changes by slot; each result is validated with the others in force
     */
    void updateTogether(
            FileTransaction transaction,
            FileTransaction.Change other,
            Map<SlotName, UnaryOperator<TomlDocument>> changes) {
        synchronized (lock) {
            reload();
            var all = new ArrayList<FileTransaction.Change>(List.of(other));
            changes.forEach((slot, change) -> {
                Optional<TomlDocument> before = toml(slot).read();
                TomlDocument from = before.orElseGet(() -> SlotDefinitionFormat.write(beside(seedNamed(slot))));
                TomlDocument after = checked(slot, from, change);
                if (before.isEmpty() || !before.get().equals(after)) {
                    all.add(new FileTransaction.Change(
                            path(slot), before.map(TomlDocument::text).orElse(null), after.text()));
                }
            });
            transaction.commit(all);
            reload();
        }
    }

    private SlotDefinition seedNamed(SlotName slot) {
        return Stream.concat(SlotSeeds.everywhere().stream(), SlotSeeds.npu().stream())
                .filter(seed -> seed.name().equals(slot))
                .findFirst()
                .orElseGet(() -> seed(slot.value(), SlotType.LLM, freePort(), Optional.empty()));
    }

    /** What a change makes of a file, in the one layout that is written. */
    private TomlDocument checked(SlotName slot, TomlDocument document, UnaryOperator<TomlDocument> change) {
        TomlDocument before = SlotLayout.flat(document);
        TomlDocument changed = agreeing(slot, before, change.apply(before));
        SlotDefinition result = SlotDefinitionFormat.read(slot, changed);
        requireUnique(result, good.values());
        SlotDefinition now = good.get(slot);
        if (now == null
                || now.device() != result.device()
                || !now.options().profile().equals(result.options().profile())) {
            requireProfile(result);
        }
        return changed;
    }

    /** Where only one of device and profile was changed and the other does not fit any more, the other follows. */
    private TomlDocument agreeing(SlotName slot, TomlDocument before, TomlDocument after) {
        SlotDefinition wanted = SlotDefinitionFormat.read(slot, after);
        Optional<Profile> profile =
                wanted.options().profile().flatMap(profiles::find).map(ProfileEntry::profile);
        if (profile.isEmpty() || ProfileRules.fits(profile.get(), wanted.device())) {
            return after;
        }
        boolean sameDevice = before.string(List.of("device")).equals(after.string(List.of("device")));
        boolean sameProfile = before.string(List.of("profile")).equals(after.string(List.of("profile")));
        if (sameProfile && !sameDevice) {
            return after.without(List.of("profile"));
        }
        Optional<Device> device = ProfileRules.device(profile.get());
        return sameDevice && !sameProfile && device.isPresent()
                ? after.with(List.of("device"), device.get().label())
                : after;
    }

    private void requireProfile(SlotDefinition definition) {
        if (definition.options().profile().isEmpty()) {
            return;
        }
        Profile profile = profiles.require(definition.options().profile().get()).profile();
        if (!ProfileRules.fits(profile, definition.device())) {
            throw SlotFields.fault(
                    "profile",
                    "is '" + profile.name() + "', which is not for "
                            + definition.device().label());
        }
    }

    /** @throws Hal0Exception {@code slot.seeded} or {@code slot.not_found} */
    public void requireDeletable(SlotName slot) {
        if (require(slot).isSeeded()) {
            throw new Hal0Exception(ErrorCode.SLOT_SEEDED, "Slot " + slot + " is part of every hal0 and stays.");
        }
    }

    void delete(SlotName slot) {
        synchronized (lock) {
            requireDeletable(slot);
            files.delete(path(slot));
            tomlFiles.remove(slot);
            good = new TreeMap<>(good);
            good.remove(slot);
            reload();
        }
    }

    private int freePort() {
        List<Integer> taken = good.values().stream().map(SlotDefinition::port).toList();
        for (int port = policy.firstPort(); port <= policy.lastPort(); port++) {
            if (!taken.contains(port) && isUnused(port)) {
                return port;
            }
        }
        throw new Hal0Exception(
                ErrorCode.SLOT_NO_FREE_PORT,
                "Every port from " + policy.firstPort() + " to " + policy.lastPort()
                        + " belongs to a slot or to another program.");
    }

    /** Another program's port would be refused at the first load anyway. */
    private static boolean isUnused(int port) {
        try (var probe = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
            return probe.isBound();
        } catch (IOException taken) {
            return false;
        }
    }

    private static void requireUnique(SlotDefinition candidate, Collection<SlotDefinition> others) {
        for (SlotDefinition other : others) {
            if (other.name().equals(candidate.name())) {
                continue;
            }
            if (other.port() == candidate.port() && !sharePort(other, candidate)) {
                throw new Hal0Exception(
                                ErrorCode.SLOT_PORT_CONFLICT,
                                "Port " + candidate.port() + " belongs to slot " + other.name() + ".")
                        .withParam("port");
            }
            if (other.isNpuAnchor() && candidate.isNpuAnchor() && other.enabled() && candidate.enabled()) {
                throw new Hal0Exception(
                                ErrorCode.SLOT_NPU_EXCLUSIVE,
                                "Slot " + other.name() + " is the NPU's chat slot already; there can be one.")
                        .withParam("device");
            }
            if (other.isDefault() && candidate.isDefault() && other.type() == candidate.type()) {
                throw SlotFields.fault(
                        "default",
                        "is true, but slot " + other.name() + " is the default for "
                                + candidate.type().label() + " already");
            }
        }
    }

    /** One engine answers for both. */
    private static boolean sharePort(SlotDefinition one, SlotDefinition other) {
        Optional<SlotName> anchor = one.options().servedBy();
        return anchor.equals(Optional.of(other.name()))
                || other.options().servedBy().equals(Optional.of(one.name()))
                || anchor.isPresent() && anchor.equals(other.options().servedBy());
    }

    /** Reads what changed; parsing is cached per file by its identity, so this is a few system calls. */
    private void reload() {
        var next = new TreeMap<SlotName, SlotDefinition>();
        var changed = new ArrayList<SlotDefinition>();
        problems.clear();
        for (SlotName slot : stems()) {
            try {
                Optional<SlotDefinition> read =
                        toml(slot).read().map(document -> SlotDefinitionFormat.read(slot, document));
                read.ifPresent(definition -> {
                    if (definition.equals(good.get(slot))) {
                        next.put(slot, definition);
                    } else {
                        changed.add(definition);
                    }
                });
            } catch (Hal0Exception invalid) {
                reject(slot, invalid, next);
            }
        }
        // After those that were in force: a hand edit cannot take a port or a default away from another slot.
        for (SlotDefinition definition : changed) {
            try {
                requireUnique(definition, next.values());
                next.put(definition.name(), definition);
            } catch (Hal0Exception claimed) {
                reject(definition.name(), claimed, next);
            }
        }
        good = next;
    }

    private void reject(SlotName slot, Hal0Exception why, Map<SlotName, SlotDefinition> next) {
        problems.put(slot, why);
        Optional.ofNullable(good.get(slot)).ifPresent(last -> next.put(slot, last));
    }

    private List<SlotName> stems() {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (var entries = Files.list(folder)) {
            var stems = new ArrayList<SlotName>();
            entries.map(entry -> entry.getFileName().toString())
                    .filter(name -> name.endsWith(SUFFIX))
                    .map(name -> name.substring(0, name.length() - SUFFIX.length()))
                    .filter(SlotName::isValid)
                    .map(SlotName::new)
                    .sorted()
                    .forEach(stems::add);
            return stems;
        } catch (IOException unreadable) {
            throw new Hal0Exception(
                    ErrorCode.SYSTEM_STORAGE, "Could not list " + folder + ": " + unreadable.getMessage(), unreadable);
        }
    }

    private TomlFile toml(SlotName slot) {
        return tomlFiles.computeIfAbsent(slot, name -> new TomlFile(path(name), files));
    }

    private Path path(SlotName slot) {
        return folder.resolve(slot.value() + SUFFIX);
    }

    /** Used when seeding: a definition with every default. */
    public static SlotDefinition seed(String name, SlotType type, int port, Optional<String> modelId) {
        return new SlotDefinition(
                new SlotName(name),
                type,
                Device.CPU,
                port,
                true,
                true,
                modelId,
                OptionalInt.empty(),
                -1,
                1,
                "",
                Map.of(),
                Keeping.DEFAULT,
                SlotOptions.DEFAULT);
    }
}
