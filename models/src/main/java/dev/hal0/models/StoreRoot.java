package dev.hal0.models;

import com.fasterxml.jackson.annotation.JsonValue;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.HomeDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Where models are: the one place that decides it, for pulls, scans, mounts and everything else. Two rules that disagree
 * would let one part register what another cannot open.
 *
 * <p>A store may be a symbolic link, and a file in it a link to another volume: paths are kept as they were given, so what
 * is registered stays valid when the bytes move, and only {@link #mountsOf} follows links. Looks and never writes.
 * Immutable and thread-safe; each look may wait for as long as a hanging network mount does.
 */
public final class StoreRoot {
    /** What decided. */
    public enum Source {
        ENVIRONMENT,
        STORE,
        PULL_ROOT,
        DEFAULT;

        @JsonValue
        public String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    public static final String VARIABLE = "HAL0_MODEL_STORE";
    private static final int MOST_LINKS = 40;

    private final Path path;
    private final Source source;
    private final List<Path> roots;
    private final Disk disk;

    StoreRoot(Path path, Source source, List<Path> roots, Disk disk) {
        this.path = path;
        this.source = source;
        // The store first: where one file is seen in two roots, the path in the store is the one to keep.
        var all = new LinkedHashSet<Path>();
        all.add(path);
        all.addAll(roots);
        this.roots = List.copyOf(all);
        this.disk = disk;
    }

    /**
     * {@code HAL0_MODEL_STORE}, else {@code [models].store}, else the older {@code [models].pull_root}, else
     * {@code models} in the state folder.
     *
     * @throws Hal0Exception {@code config.invalid} when the variable holds no absolute path
     */
    public static StoreRoot of(Map<String, String> environment, StoreSettings settings, HomeDirectory home) {
        return of(environment, settings, home, Disk.SYSTEM);
    }

    static StoreRoot of(Map<String, String> environment, StoreSettings settings, HomeDirectory home, Disk disk) {
        String variable = environment.getOrDefault(VARIABLE, "");
        if (!variable.isBlank()) {
            return new StoreRoot(absolute(variable), Source.ENVIRONMENT, settings.roots(), disk);
        }
        if (settings.store().isPresent()) {
            return new StoreRoot(settings.store().get(), Source.STORE, settings.roots(), disk);
        }
        return settings.pullRoot()
                .map(older -> new StoreRoot(older, Source.PULL_ROOT, settings.roots(), disk))
                .orElseGet(() -> new StoreRoot(
                        home.state().resolve("models").toAbsolutePath().normalize(),
                        Source.DEFAULT,
                        settings.roots(),
                        disk));
    }

    private static Path absolute(String text) {
        try {
            Path path = Path.of(text);
            if (path.isAbsolute()) {
                return path.normalize();
            }
        } catch (InvalidPathException notEvenAPath) {
            throw new Hal0Exception(ErrorCode.CONFIG_INVALID, VARIABLE + ": " + notEvenAPath.getMessage())
                    .withParam(VARIABLE);
        }
        throw new Hal0Exception(ErrorCode.CONFIG_INVALID, VARIABLE + ": '" + text + "' is not an absolute path")
                .withParam(VARIABLE);
    }

    /** The store as configured, absolute; links are not followed. */
    public Path path() {
        return path;
    }

    public Source source() {
        return source;
    }

    /** What a scan walks: the store, then the configured roots; no folder twice. */
    public List<Path> roots() {
        return roots;
    }

    /** What is seen of the store now. */
    public StoreState state() {
        return state(path);
    }

    /** What is seen of any folder of models now. */
    public StoreState state(Path folder) {
        return state(folder, disk);
    }

    static StoreState state(Path folder, Disk disk) {
        try {
            if (!disk.attributes(folder).isDirectory()) {
                return StoreState.unavailable(folder + " is not a folder");
            }
            // A stale mount may still answer to its name and fail only here.
            disk.entries(folder);
            return StoreState.ok(disk.real(folder));
        } catch (NoSuchFileException absent) {
            return leadsNowhere(folder, disk)
                    .map(link -> StoreState.unavailable(
                            link + " is a link to a place that is not there; is its volume mounted?"))
                    .orElseGet(() -> StoreState.missing("there is no folder " + folder));
        } catch (IOException failure) {
            return StoreState.unavailable(folder + ": " + Disk.described(failure));
        }
    }

    /** The link on the way to a path that has no target; empty where the path just ends. */
    static Optional<Path> leadsNowhere(Path path, Disk disk) {
        for (Path part = path; part != null; part = part.getParent()) {
            try {
                boolean link = disk.ownAttributes(part).isSymbolicLink();
                if (!link) {
                    return Optional.empty();
                }
                disk.attributes(part);
                return Optional.empty();
            } catch (NoSuchFileException absent) {
                if (isLink(part, disk)) {
                    return Optional.of(part);
                }
            } catch (IOException failure) {
                return Optional.of(part);
            }
        }
        return Optional.empty();
    }

    private static boolean isLink(Path path, Disk disk) {
        try {
            return disk.ownAttributes(path).isSymbolicLink();
        } catch (IOException gone) {
            return false;
        }
    }

    /** The configured root that a path lies in, by its name; the longest where roots are nested. */
    public Optional<Path> rootOf(Path file) {
        Path given = file.toAbsolutePath().normalize();
        return roots.stream().filter(given::startsWith).max(java.util.Comparator.comparingInt(Path::getNameCount));
    }

    /**
     * Every folder that must be visible for these files to be opened by their given names: the roots they are named in, and
     * the folders that links on the way lead into. A target outside the mounts is invisible inside a container.
     *
     * @param files paths as registered; those that are not there add only what could be found out
     * @return absolute and without one that lies in another
     */
    public Set<Path> mountsOf(List<Path> files) {
        var folders = new LinkedHashSet<Path>();
        for (Path file : files) {
            Path given = file.toAbsolutePath().normalize();
            folders.add(rootOf(given).orElseGet(() -> folderOf(given)));
            addHops(given, folders);
        }
        var outer = new ArrayList<Path>();
        for (Path folder : folders) {
            if (folders.stream().noneMatch(other -> !other.equals(folder) && folder.startsWith(other))) {
                outer.add(folder);
            }
        }
        return new LinkedHashSet<>(outer);
    }

    /** Link by link: a chain is followed inside the container, too, so each of its places must be there. */
    private void addHops(Path file, Set<Path> folders) {
        try {
            Path place = file;
            for (int hop = 0; hop < MOST_LINKS && disk.ownAttributes(place).isSymbolicLink(); hop++) {
                place = place.resolveSibling(Files.readSymbolicLink(place)).normalize();
                folders.add(folderOf(place));
            }
            Path real = disk.real(file);
            folders.add(rootOf(real).orElseGet(() -> folderOf(real)));
        } catch (IOException gone) {
            // What is not there needs no mount; the load reports the missing file.
        }
    }

    private static Path folderOf(Path file) {
        Path parent = file.getParent();
        return parent == null ? file : parent;
    }
}
