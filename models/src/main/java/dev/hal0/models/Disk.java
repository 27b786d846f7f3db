package dev.hal0.models;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The four looks at a file system that scanning needs, apart so that a test can let one of them fail as a stale network
 * mount does. Reads only.
 */
interface Disk {
    /** Follows links. */
    BasicFileAttributes attributes(Path path) throws IOException;

    /** Of the name itself, where it is a link. */
    BasicFileAttributes ownAttributes(Path path) throws IOException;

    /** The entries of a folder by name, so that two walks see the same order. */
    List<Path> entries(Path folder) throws IOException;

    Path real(Path path) throws IOException;

    Disk SYSTEM = new Disk() {
        @Override
        public BasicFileAttributes attributes(Path path) throws IOException {
            return Files.readAttributes(path, BasicFileAttributes.class);
        }

        @Override
        public BasicFileAttributes ownAttributes(Path path) throws IOException {
            return Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        }

        @Override
        public List<Path> entries(Path folder) throws IOException {
            var entries = new ArrayList<Path>();
            try (var stream = Files.newDirectoryStream(folder)) {
                stream.forEach(entries::add);
            } catch (java.nio.file.DirectoryIteratorException failure) {
                throw failure.getCause();
            }
            entries.sort(Comparator.naturalOrder());
            return entries;
        }

        @Override
        public Path real(Path path) throws IOException {
            return path.toRealPath();
        }
    };

    /** One clause for people. */
    static String described(IOException failure) {
        return switch (failure) {
            case java.nio.file.AccessDeniedException denied -> "permission denied";
            case java.nio.file.NoSuchFileException absent -> "there is no such file";
            case java.nio.file.FileSystemException other when other.getReason() != null -> other.getReason();
            default -> failure.getClass().getSimpleName() + ": " + failure.getMessage();
        };
    }
}
