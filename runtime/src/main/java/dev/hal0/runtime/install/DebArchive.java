package dev.hal0.runtime.install;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import org.apache.commons.compress.archivers.ar.ArArchiveEntry;
import org.apache.commons.compress.archivers.ar.ArArchiveInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.apache.commons.compress.compressors.gzip.GzipCompressorInputStream;
import org.apache.commons.compress.compressors.xz.XZCompressorInputStream;

/**
 * Unpacks the files of a Debian package, never its maintainer scripts, into a folder that this process alone writes.
 * Whatever the archive says, nothing is written outside that folder, no link leads out of it, and no file is set-uid.
 * Manuals and examples are left out; licence notices are kept.
 */
final class DebArchive {
    /** The package breaks a rule above, or is no package at all. */
    static final class MalformedPackageException extends IOException {
        private static final long serialVersionUID = 1L;

        MalformedPackageException(String message) {
            super(message);
        }
    }

    private static final int XZ_MEMORY_KIB = 256 << 10;
    private static final long LARGEST_FILE = 4L << 30;

    private final Path root;

    DebArchive(Path root) {
        this.root = root.toAbsolutePath().normalize();
    }

    void unpack(Path deb) throws IOException {
        try (var file = new BufferedInputStream(Files.newInputStream(deb));
                var archive = new ArArchiveInputStream(file)) {
            ArArchiveEntry entry;
            while ((entry = archive.getNextEntry()) != null) {
                String name = entry.getName().replaceFirst("/$", "");
                if (name.startsWith("data.tar")) {
                    try (var tar = new TarArchiveInputStream(decompressed(name, archive))) {
                        unpack(tar);
                    }
                    return;
                }
            }
        }
        throw new MalformedPackageException(deb.getFileName() + " holds no data.tar");
    }

    /** Links that lead through other links are only judged once all are there. */
    void requireLinksInside() throws IOException {
        Path real = root.toRealPath();
        try (var all = Files.walk(root)) {
            for (Path link : (Iterable<Path>) all.filter(Files::isSymbolicLink)::iterator) {
                if (Files.exists(link) && !link.toRealPath().startsWith(real)) {
                    throw new MalformedPackageException("the link " + root.relativize(link) + " leads outside");
                }
            }
        }
    }

    private static InputStream decompressed(String name, InputStream raw) throws IOException {
        return switch (name) {
            case "data.tar" -> raw;
            case "data.tar.xz" ->
                XZCompressorInputStream.builder()
                        .setInputStream(raw)
                        .setMemoryLimitKiB(XZ_MEMORY_KIB)
                        .get();
            case "data.tar.gz" -> new GzipCompressorInputStream(raw);
            default -> throw new MalformedPackageException(name + " is compressed in a way that is not supported");
        };
    }

    private void unpack(TarArchiveInputStream tar) throws IOException {
        TarArchiveEntry entry;
        while ((entry = tar.getNextEntry()) != null) {
            Path target = inside(entry.getName());
            String below = root.relativize(target).toString();
            if (target.equals(root) || !wanted(below, entry)) {
                continue;
            }
            if (entry.isDirectory()) {
                createFolders(target);
            } else if (entry.isSymbolicLink()) {
                createFolders(parent(target));
                Files.createSymbolicLink(target, linkTarget(target, entry.getLinkName()));
            } else if (entry.isLink()) {
                Path existing = inside(entry.getLinkName());
                requireRealFolders(parent(existing));
                createFolders(parent(target));
                Files.createLink(target, existing);
            } else if (entry.getLinkFlag() == TarConstants.LF_NORMAL
                    || entry.getLinkFlag() == TarConstants.LF_OLDNORM) {
                createFolders(parent(target));
                write(tar, entry, target);
            } else {
                throw new MalformedPackageException(below + " is neither file nor folder nor link");
            }
        }
    }

    /** Some packages share the notices of another by a link between their documentation folders. */
    private static boolean wanted(String below, TarArchiveEntry entry) {
        return !(below.equals("usr/share") || below.startsWith("usr/share/"))
                || below.endsWith("/copyright")
                || entry.isSymbolicLink() && below.matches("usr/share/doc/[^/]+");
    }

    private static void write(TarArchiveInputStream tar, TarArchiveEntry entry, Path target) throws IOException {
        if (entry.getSize() > LARGEST_FILE) {
            throw new MalformedPackageException(entry.getName() + " has " + entry.getSize() + " bytes");
        }
        // CREATE_NEW does not follow a link that an earlier entry put here.
        try (var out = Files.newOutputStream(target, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            tar.transferTo(out);
        }
        boolean executable = (entry.getMode() & 0100) != 0;
        Files.setPosixFilePermissions(target, PosixFilePermissions.fromString(executable ? "rwxr-xr-x" : "rw-r--r--"));
    }

    private Path inside(String name) throws IOException {
        Path path =
                root.resolve(name.startsWith("./") ? name.substring(2) : name).normalize();
        boolean climbs = Path.of(name).isAbsolute() || (name + "/").contains("../");
        if (climbs || !path.startsWith(root)) {
            throw new MalformedPackageException("the entry '" + name + "' leads outside");
        }
        return path;
    }

    /** An absolute target means the package's own root, which is ours here. */
    private Path linkTarget(Path link, String target) throws IOException {
        boolean absolute = target.startsWith("/");
        Path resolved = (absolute
                        ? root.resolve(target.replaceFirst("^/+", ""))
                        : parent(link).resolve(target))
                .normalize();
        if (!resolved.startsWith(root)) {
            throw new MalformedPackageException(
                    "the link " + root.relativize(link) + " to '" + target + "' leads outside");
        }
        return absolute ? parent(link).relativize(resolved) : Path.of(target);
    }

    private void createFolders(Path folder) throws IOException {
        requireRealFolders(folder);
        Files.createDirectories(
                folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
    }

    private void requireRealFolders(Path folder) throws IOException {
        for (Path at = folder; !at.equals(root); at = parent(at)) {
            if (Files.exists(at, LinkOption.NOFOLLOW_LINKS) && !Files.isDirectory(at, LinkOption.NOFOLLOW_LINKS)) {
                throw new MalformedPackageException(root.relativize(at) + " is used as a folder but is not one");
            }
        }
    }

    private static Path parent(Path path) {
        return java.util.Objects.requireNonNull(path.getParent(), "a path below the root has a parent");
    }
}
