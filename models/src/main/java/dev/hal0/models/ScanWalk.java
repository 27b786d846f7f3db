package dev.hal0.models;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Finds the files of one scan. Folders behind links are walked after all others, so that a file is found by its own name
 * first; each folder is walked once. What cannot be read is noted and does not end the walk. Not thread-safe.
 */
final class ScanWalk {
    private static final int DEEPEST = 64;
    private static final int LONGEST_REF = 256;

    private record Folder(Path path, Object key, @Nullable Folder above, int depth) {
        /** The folder above that a link leads back to; null when it leads elsewhere. */
        @Nullable
        Folder holding(Object other) {
            for (Folder folder = this; folder != null; folder = folder.above()) {
                if (folder.key().equals(other)) {
                    return folder;
                }
            }
            return null;
        }
    }

    private final Disk disk;
    private final ScanBudget budget;
    private final Set<String> endings;
    private final boolean recursive;
    private final LlamaCache llamaCache = new LlamaCache();
    private final List<Sighting> found = new ArrayList<>();
    private final List<SkippedPath> skipped = new ArrayList<>();
    private final Set<Object> walked = new HashSet<>();
    private final Deque<Folder> pending = new ArrayDeque<>();
    private final Deque<Folder> linked = new ArrayDeque<>();
    private int left;

    ScanWalk(Disk disk, ScanBudget budget, Set<String> endings, boolean recursive) {
        this.disk = disk;
        this.budget = budget;
        this.endings = endings;
        this.recursive = recursive;
    }

    List<Sighting> found() {
        return found;
    }

    List<SkippedPath> skipped() {
        return skipped;
    }

    /** Folders that were known and not walked to their end when the time was up. */
    int left() {
        return left;
    }

    static Object key(BasicFileAttributes attributes, Path real) {
        Object key = attributes.fileKey();
        return key == null ? real : key;
    }

    void walk(Path root) {
        try {
            pending.add(new Folder(root, key(disk.attributes(root), disk.real(root)), null, 0));
        } catch (IOException gone) {
            skip(root, Disk.described(gone));
        }
        for (Folder folder = next(); folder != null; folder = next()) {
            if (budget.isSpent()) {
                left += 1 + pending.size() + linked.size();
                pending.clear();
                linked.clear();
                return;
            }
            if (walked.add(folder.key())) {
                look(folder);
            }
        }
    }

    private @Nullable Folder next() {
        return pending.isEmpty() ? linked.poll() : pending.poll();
    }

    private void look(Folder folder) {
        List<Path> entries;
        try {
            entries = disk.entries(folder.path());
        } catch (IOException failure) {
            skip(folder.path(), "cannot be listed: " + Disk.described(failure));
            return;
        }
        Set<String> handled = handled(folder.path(), entries);
        var neighbours = new HashSet<>(entries);
        var below = new ArrayDeque<Folder>();
        for (Path entry : inOrder(folder.path(), entries)) {
            if (budget.isSpent()) {
                left++;
                return;
            }
            if (!handled.contains(ScanNames.of(entry))) {
                look(folder, entry, neighbours, below);
            }
        }
        // Depth first, in the order of names.
        below.descendingIterator().forEachRemaining(pending::addFirst);
    }

    /** Names in this folder that need no walk: what stores keep for themselves. */
    private Set<String> handled(Path folder, List<Path> entries) {
        if (OllamaStore.isOne(entries)) {
            if (!new OllamaStore(disk, budget, found::add, skipped::add).read(folder)) {
                left++;
            }
            return Set.of("manifests", "blobs");
        }
        return PlaceRules.isHubRepository(ScanNames.of(folder)) ? Set.of("blobs", "refs", ".no_exist") : Set.of();
    }

    private void look(Folder folder, Path entry, Set<Path> neighbours, Deque<Folder> below) {
        String name = ScanNames.of(entry);
        boolean named = ScanNames.isModelName(name, endings);
        try {
            var attributes = disk.attributes(entry);
            if (attributes.isDirectory()) {
                if (recursive) {
                    enter(folder, entry, attributes, below);
                }
            } else if (named) {
                sight(entry, attributes, neighbours);
            }
        } catch (NoSuchFileException nowhere) {
            skip(entry, "is a link to a place that is not there");
        } catch (IOException failure) {
            skip(entry, Disk.described(failure));
        }
    }

    private void enter(Folder folder, Path entry, BasicFileAttributes attributes, Deque<Folder> below)
            throws IOException {
        var reason = ScanNames.reasonAgainstFolder(entry);
        if (reason.isPresent()) {
            reason.filter(text -> !text.isEmpty()).ifPresent(text -> skip(entry, text));
            return;
        }
        Object key = key(attributes, entry);
        Folder above = folder.holding(key);
        if (above != null) {
            skip(entry, "is a link back to " + above.path() + ", which it lies in");
        } else if (folder.depth() == DEEPEST) {
            skip(entry, "lies deeper than " + DEEPEST + " folders");
        } else {
            var inner = new Folder(entry, key, folder, folder.depth() + 1);
            if (disk.ownAttributes(entry).isSymbolicLink()) {
                linked.add(inner);
            } else {
                below.add(inner);
            }
        }
    }

    private void sight(Path entry, BasicFileAttributes attributes, Set<Path> neighbours) throws IOException {
        String name = ScanNames.of(entry);
        var reason = ScanNames.reasonAgainstFile(name);
        if (reason.isPresent()) {
            skip(entry, reason.get());
            return;
        }
        if (!attributes.isRegularFile()) {
            skip(entry, "is not a regular file");
            return;
        }
        Path real = disk.real(entry);
        ModelSource source = PlaceRules.of(entry);
        if (source.kind() == ModelSource.Kind.FOLDER) {
            source = llamaCache.sourceOf(entry, neighbours).orElse(source);
        }
        String called = source.kind() == ModelSource.Kind.LLAMA_CACHE
                ? source.hfFilename().map(file -> ScanNames.of(Path.of(file))).orElse(name)
                : name;
        found.add(new Sighting(
                entry,
                real,
                key(attributes, real),
                attributes.size(),
                called,
                source,
                PlaceRules.digestOf(entry, real),
                java.util.Optional.empty()));
    }

    /** By name; of several revisions in a hub cache the current one first, so that it is the one that keeps its id. */
    private static List<Path> inOrder(Path folder, List<Path> entries) {
        Path repository = folder.getParent();
        if (repository == null
                || !ScanNames.of(folder).equals("snapshots")
                || !PlaceRules.isHubRepository(ScanNames.of(repository))) {
            return entries;
        }
        Path main = repository.resolve("refs/main");
        try {
            if (Files.isRegularFile(main) && Files.size(main) <= LONGEST_REF) {
                String current = Files.readString(main).strip();
                return entries.stream()
                        .sorted(Comparator.comparing(
                                entry -> !ScanNames.of(entry).equals(current)))
                        .collect(Collectors.toList());
            }
        } catch (IOException unknown) {
            return entries;
        }
        return entries;
    }

    private void skip(Path path, String reason) {
        skipped.add(new SkippedPath(path, reason));
    }
}
