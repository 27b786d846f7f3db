package dev.hal0.kernel;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * The only writer of files that must survive a power cut. A write is: temporary file in the same folder, content, fsync,
 * rename over the target, fsync of the folder. Whatever instant the machine dies at, a reader finds the old content or the
 * new, never a mixture; a left-over temporary file is hidden ({@code .name.XXXX.tmp}) and overwritten by nobody.
 *
 * <p>Owner, group and mode of an existing target are kept, as is a symbolic link at its place: the link's target is
 * rewritten. An interrupt does not break a write off: it takes milliseconds, and an interrupted thread that cannot save its
 * last state would lose it. Thread-safe; writes to one path through one instance are serialised, so the last one to return
 * is what is on disk.
 */
public final class DurableFiles {
    /** Readable by its owner only: keys and anything that embeds them. */
    public static final Set<PosixFilePermission> PRIVATE = PosixFilePermissions.fromString("rw-------");

    /** The default for new files. */
    public static final Set<PosixFilePermission> SHARED = PosixFilePermissions.fromString("rw-r--r--");

    private static final Set<PosixFilePermission> GROUP = PosixFilePermissions.fromString("---rwx---");

    private final FileOperations operations;
    private final ConcurrentHashMap<Path, ReentrantLock> locks = new ConcurrentHashMap<>();

    public DurableFiles() {
        this(new SystemFileOperations());
    }

    /** For tests that record or break single operations. */
    public DurableFiles(FileOperations operations) {
        this.operations = operations;
    }

    public void write(Path target, String content) {
        write(target, content.getBytes(StandardCharsets.UTF_8), SHARED);
    }

    /**
     * Replaces {@code target} durably, creating missing parent folders.
     *
     * @param newFileMode used only where the target does not exist yet
     * @throws Hal0Exception {@code system.storage} when any step fails; the old content is then still in place, except when
     *     only the last fsync failed: then the new one is, but may not survive a power cut
     */
    public void write(Path target, byte[] content, Set<PosixFilePermission> newFileMode) {
        Path path = target.toAbsolutePath().normalize();
        exclusively(path, () -> {
            try {
                replaceUninterrupted(path, content, newFileMode);
                return path;
            } catch (IOException failure) {
                throw storageFailure("write", path, failure);
            }
        });
    }

    /** Deletes durably. Deleting what is not there succeeds. */
    public void delete(Path target) {
        Path path = target.toAbsolutePath().normalize();
        exclusively(path, () -> {
            try {
                operations.delete(path);
                if (Files.isDirectory(parent(path))) {
                    operations.force(parent(path));
                }
                return path;
            } catch (IOException failure) {
                throw storageFailure("delete", path, failure);
            }
        });
    }

    /** The content as UTF-8, or empty when there is no such file. */
    public Optional<String> read(Path path) {
        try {
            return Optional.of(operations.read(path));
        } catch (NoSuchFileException absent) {
            return Optional.empty();
        } catch (IOException failure) {
            throw storageFailure("read", path, failure);
        }
    }

    /** Runs {@code work} while no other thread writes or deletes this path through this object; reentrant. */
    <T> T exclusively(Path path, Supplier<T> work) {
        ReentrantLock lock = locks.computeIfAbsent(path, ignored -> new ReentrantLock());
        lock.lock();
        try {
            return work.get();
        } finally {
            lock.unlock();
        }
    }

    private void replaceUninterrupted(Path path, byte[] content, Set<PosixFilePermission> newFileMode)
            throws IOException {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    replace(path, content, newFileMode);
                    return;
                } catch (ClosedByInterruptException again) {
                    interrupted |= Thread.interrupted();
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void replace(Path path, byte[] content, Set<PosixFilePermission> newFileMode) throws IOException {
        Path target = Files.isSymbolicLink(path) ? path.toRealPath() : path;
        createFolders(parent(target));
        boolean exists = Files.exists(target);
        var mode = exists ? Files.getPosixFilePermissions(target) : newFileMode;
        Path temporary = target.resolveSibling("." + target.getFileName() + "." + UUID.randomUUID() + ".tmp");
        try {
            operations.write(temporary, content, mode);
            if (exists) {
                keepOwner(target, temporary);
            }
            operations.force(temporary);
            operations.rename(temporary, target);
            operations.force(parent(target));
        } catch (IOException | RuntimeException failure) {
            discard(temporary, failure);
            throw failure;
        }
    }

    /** A new folder is as durable as a file in it: its name is forced into its parent. */
    void createFolders(Path folder) throws IOException {
        if (Files.isDirectory(folder)) {
            return;
        }
        createFolders(parent(folder));
        try {
            Files.createDirectory(folder);
        } catch (FileAlreadyExistsException createdMeanwhile) {
            if (!Files.isDirectory(folder)) {
                throw createdMeanwhile;
            }
        }
        operations.force(parent(folder));
    }

    /** The failure that led here is the one to report, also when the disk refuses the clean-up too. */
    private void discard(Path temporary, Exception failure) {
        try {
            operations.delete(temporary);
        } catch (IOException second) {
            failure.addSuppressed(second);
        }
    }

    private static void keepOwner(Path target, Path temporary) throws IOException {
        var kept = Files.readAttributes(target, PosixFileAttributes.class);
        var fresh = Files.readAttributes(temporary, PosixFileAttributes.class);
        if (!kept.owner().equals(fresh.owner())) {
            // Only root can give a file away; for anyone else the write fails here rather than take the file over.
            Files.setOwner(temporary, kept.owner());
        }
        if (!kept.group().equals(fresh.group())) {
            keepGroup(kept, temporary);
        }
    }

    /** A user outside the group cannot keep it; the group that takes its place must not gain what it had. */
    private static void keepGroup(PosixFileAttributes kept, Path temporary) throws IOException {
        var view = Files.getFileAttributeView(temporary, PosixFileAttributeView.class);
        try {
            view.setGroup(kept.group());
        } catch (FileSystemException notAMember) {
            var mode = EnumSet.copyOf(kept.permissions());
            mode.removeAll(GROUP);
            if (mode.contains(PosixFilePermission.OTHERS_READ)) {
                mode.add(PosixFilePermission.GROUP_READ);
            }
            view.setPermissions(mode);
        }
    }

    private static Path parent(Path absolute) {
        return Objects.requireNonNull(absolute.getParent(), "an absolute file path has a parent");
    }

    static Hal0Exception storageFailure(String verb, Path path, IOException failure) {
        return new Hal0Exception(
                        ErrorCode.SYSTEM_STORAGE,
                        "Could not " + verb + " " + path + ": "
                                + failure.getClass().getSimpleName() + ": " + failure.getMessage(),
                        failure)
                .withDetail("path", path.toString());
    }
}
