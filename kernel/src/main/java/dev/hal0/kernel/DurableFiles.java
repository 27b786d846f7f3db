package dev.hal0.kernel;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
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
 * <p>Owner and mode of an existing target are kept, as is a symbolic link at its place: the link's target is rewritten.
 * Thread-safe; writes to one path in this process are serialised, so the last one to return is what is on disk.
 */
public final class DurableFiles {
    /** Readable by its owner only: keys and anything that embeds them. */
    public static final Set<PosixFilePermission> PRIVATE = PosixFilePermissions.fromString("rw-------");

    /** The default for new files. */
    public static final Set<PosixFilePermission> SHARED = PosixFilePermissions.fromString("rw-r--r--");

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
     * @throws Hal0Exception {@code system.storage} when any step fails; the old content is then still in place
     */
    public void write(Path target, byte[] content, Set<PosixFilePermission> newFileMode) {
        Path path = target.toAbsolutePath().normalize();
        exclusively(path, () -> {
            try {
                replace(path, content, newFileMode);
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

    private void replace(Path path, byte[] content, Set<PosixFilePermission> newFileMode) throws IOException {
        Path target = Files.isSymbolicLink(path) ? path.toRealPath() : path;
        Files.createDirectories(parent(target));
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
            operations.delete(temporary);
            throw failure;
        }
    }

    private static void keepOwner(Path target, Path temporary) throws IOException {
        var owner = Files.getOwner(target);
        // Only root can give a file away; anyone else already is the owner or may not keep it.
        if (!owner.equals(Files.getOwner(temporary))) {
            Files.setOwner(temporary, owner);
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
