package dev.hal0.helper.daemon;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Set;

/**
 * Paths that mean the same now and later. Checking what a path leads to is worth nothing where somebody else can put another
 * thing in its place afterwards, so what is checked is that nobody can: every folder on the way belongs to root, is no
 * symbolic link, and is writable by others only where the sticky bit keeps them off what is not theirs.
 */
final class TrustedPath {
    private static final int STICKY = 01000;
    private static final int OTHERS_WRITE = 022;

    private final Set<Integer> owners;

    /** @param owner trusted beside root; 0 outside of tests */
    TrustedPath(int owner) {
        this.owners = owner == 0 ? Set.of(0) : Set.of(0, owner);
    }

    private record Entry(int owner, int mode) {
        boolean isWritableByOthers() {
            return (mode & OTHERS_WRITE) != 0;
        }

        boolean isSticky() {
            return (mode & STICKY) != 0;
        }
    }

    /** A file that only a trusted owner could have written. */
    void requireOwned(Path file) {
        requireFixed(file);
        Entry entry = entry(file);
        if (!owners.contains(entry.owner()) || entry.isWritableByOthers()) {
            throw untrusted(file, file + " has to belong to root and be writable by nobody else");
        }
    }

    /** A path at whose end nobody but a trusted owner can put another thing; who owns the end itself does not matter. */
    void requireFixed(Path path) {
        if (!path.isAbsolute() || !path.normalize().equals(path)) {
            throw untrusted(path, path + " has to be absolute and without '..'");
        }
        Path reached = path.getRoot();
        boolean replaceable = false;
        for (Path name : path) {
            Entry folder = entry(reached);
            if (!owners.contains(folder.owner())) {
                throw untrusted(path, reached + " belongs to somebody who could put another thing in place of " + path);
            }
            if (folder.isWritableByOthers() && !folder.isSticky()) {
                throw untrusted(
                        path, reached + " is writable by others, who could put another thing in place of " + path);
            }
            replaceable = folder.isWritableByOthers();
            reached = reached.resolve(name);
            if (Files.isSymbolicLink(reached)) {
                throw untrusted(path, reached + " is a symbolic link");
            }
        }
        if (replaceable && !owners.contains(entry(path).owner())) {
            throw untrusted(path, path + " could be replaced by its owner");
        }
    }

    private static Entry entry(Path path) {
        try {
            return new Entry((Integer) Files.getAttribute(path, "unix:uid", LinkOption.NOFOLLOW_LINKS), (Integer)
                    Files.getAttribute(path, "unix:mode", LinkOption.NOFOLLOW_LINKS));
        } catch (IOException absent) {
            throw untrusted(path, path + " is not there");
        }
    }

    private static Hal0Exception untrusted(Path path, String why) {
        return new Hal0Exception(ErrorCode.RUNTIME_PLAN_REFUSED, "Root does not trust " + path + ": " + why + ".");
    }
}
