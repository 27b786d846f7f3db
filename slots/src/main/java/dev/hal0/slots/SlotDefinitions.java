package dev.hal0.slots;

import dev.hal0.kernel.DurableFiles;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.SlotName;
import dev.hal0.kernel.TomlDocument;
import dev.hal0.kernel.TomlFile;
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
    private final Object lock = new Object();
    private final Map<SlotName, TomlFile> tomlFiles = new HashMap<>();
    private final Map<SlotName, Hal0Exception> problems = new TreeMap<>();
    private volatile Map<SlotName, SlotDefinition> good = new TreeMap<>();

    public SlotDefinitions(Path folder, DurableFiles files, SlotPolicy policy) {
        this.folder = folder;
        this.files = files;
        this.policy = policy;
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
                    toml(seed.name()).write(SlotDefinitionFormat.write(seed));
                }
            }
            reload();
        }
    }

    public SlotDefinition create(SlotDraft draft) {
        synchronized (lock) {
            reload();
            if (Files.exists(path(draft.name()))) {
                throw new Hal0Exception(ErrorCode.SLOT_ALREADY_EXISTS, "Slot '" + draft.name() + "' exists already.")
                        .withParam("name");
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
                    Keeping.DEFAULT);
            TomlDocument document = SlotDefinitionFormat.write(definition);
            requireUnique(SlotDefinitionFormat.read(draft.name(), document), good.values());
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
            toml(slot).update(document -> {
                TomlDocument changed = change.apply(document);
                requireUnique(SlotDefinitionFormat.read(slot, changed), good.values());
                return changed;
            });
            reload();
            return require(slot);
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
            if (other.port() == candidate.port()) {
                throw new Hal0Exception(
                                ErrorCode.SLOT_PORT_CONFLICT,
                                "Port " + candidate.port() + " belongs to slot " + other.name() + ".")
                        .withParam("port");
            }
            if (other.isDefault() && candidate.isDefault() && other.type() == candidate.type()) {
                throw SlotDefinitionFormat.invalid(
                        "default",
                        "is true, but slot " + other.name() + " is the default for "
                                + candidate.type().label() + " already");
            }
        }
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
                Keeping.DEFAULT);
    }
}
