package dev.hal0.kernel;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermission;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * One TOML file that hal0 and people edit. An update reads the file under a lock, so that a hand edit made a moment ago is
 * in what it changes; a file that does not parse is never overwritten, so a half-finished hand edit is never lost.
 *
 * <p>The lock is held against other threads and, by a file {@code .NAME.lock} beside the real file, against other hal0
 * processes. It is never deleted: a process that waits for a deleted lock file would hold a lock that nobody else sees. An
 * editor takes no such lock; what it saves between our read and our rename is lost, a window of about a millisecond.
 *
 * <p>Reads are cached by modification time, size and inode. Thread-safe.
 */
public final class TomlFile {
    static final Duration LOCK_DEADLINE = Duration.ofSeconds(5);

    /** Two edits within one tick of the file system's clock look alike, so a file this young is read each time. */
    private static final Duration SETTLED = Duration.ofSeconds(2);

    private static final Duration LOCK_POLL = Duration.ofMillis(10);

    private record Identity(
            FileTime modified, long size, @Nullable Object inode) {}

    private record Cached(Identity identity, TomlDocument document) {}

    private final Path path;
    private final DurableFiles files;
    private final Set<PosixFilePermission> newFileMode;
    private final InstantSource clock;
    private final Duration lockDeadline;
    private volatile @Nullable Cached cached;

    public TomlFile(Path path, DurableFiles files) {
        this(path, files, DurableFiles.SHARED);
    }

    /** @param newFileMode used when the file does not exist yet; {@link DurableFiles#PRIVATE} for secrets */
    public TomlFile(Path path, DurableFiles files, Set<PosixFilePermission> newFileMode) {
        this(path, files, newFileMode, InstantSource.system(), LOCK_DEADLINE);
    }

    TomlFile(
            Path path,
            DurableFiles files,
            Set<PosixFilePermission> newFileMode,
            InstantSource clock,
            Duration lockDeadline) {
        this.path = path.toAbsolutePath().normalize();
        this.files = files;
        this.newFileMode = Set.copyOf(newFileMode);
        this.clock = clock;
        this.lockDeadline = lockDeadline;
    }

    public Path path() {
        return path;
    }

    /**
     * Empty when there is no such file.
     *
     * @throws Hal0Exception {@code config.invalid} when it does not parse or is not UTF-8, {@code system.storage} when it
     *     cannot be read
     */
    public Optional<TomlDocument> read() {
        Identity before = identity();
        Cached known = cached;
        if (known != null && known.identity().equals(before)) {
            return Optional.of(known.document());
        }
        Optional<TomlDocument> document = readAnew();
        cached = document.isPresent() && before != null && isSettled(before) && before.equals(identity())
                ? new Cached(before, document.get())
                : null;
        return document;
    }

    /**
     * Replaces the content, whatever it was.
     *
     * @throws Hal0Exception {@code config.invalid} when the file that is there does not parse: it is left alone
     */
    public void write(TomlDocument document) {
        update(ignored -> document);
    }

    /**
     * Changes the file as it is now; an absent file is an empty document. Nothing is written when {@code change} returns an
     * equal document or throws.
     *
     * @return what is in the file now
     * @throws Hal0Exception {@code config.invalid} when the file does not parse, {@code config.locked} when another process
     *     holds the lock for 5 s, {@code system.storage} when writing fails
     */
    public TomlDocument update(UnaryOperator<TomlDocument> change) {
        return files.exclusively(path, () -> {
            try (FileChannel ignored = lock()) {
                // Not from the cache: what is changed here must be what is in the file now.
                Optional<TomlDocument> current = readAnew();
                TomlDocument changed = change.apply(current.orElseGet(() -> TomlDocument.empty(path.toString())));
                if (current.isEmpty() || !current.get().equals(changed)) {
                    files.write(path, changed.text().getBytes(StandardCharsets.UTF_8), newFileMode);
                }
                return changed;
            } catch (ClosedByInterruptException cancelled) {
                throw cancelled(cancelled);
            } catch (IOException failure) {
                throw DurableFiles.storageFailure("lock", path, failure);
            }
        });
    }

    private boolean isSettled(Identity identity) {
        return identity.modified().toInstant().isBefore(clock.instant().minus(SETTLED));
    }

    private Optional<TomlDocument> readAnew() {
        try {
            return files.read(path).map(text -> TomlDocument.parse(path.toString(), text));
        } catch (Hal0Exception failure) {
            if (failure.getCause() instanceof CharacterCodingException) {
                throw new Hal0Exception(ErrorCode.CONFIG_INVALID, path + ": is not UTF-8 text", failure)
                        .withDetail("source", path.toString());
            }
            throw failure;
        }
    }

    private @Nullable Identity identity() {
        try {
            var attributes = Files.readAttributes(path, BasicFileAttributes.class);
            return new Identity(attributes.lastModifiedTime(), attributes.size(), attributes.fileKey());
        } catch (NoSuchFileException absent) {
            return null;
        } catch (IOException unreadable) {
            // The read that follows reports it.
            return null;
        }
    }

    /** Closing the channel releases the lock. */
    private FileChannel lock() throws IOException {
        Path real = Files.isSymbolicLink(path) ? path.toRealPath() : path;
        Path folder = Objects.requireNonNull(real.getParent());
        files.createFolders(folder);
        Path lockFile = folder.resolve("." + real.getFileName() + ".lock");
        var channel = FileChannel.open(lockFile, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
            Instant deadline = clock.instant().plus(lockDeadline);
            while (!acquired(channel)) {
                if (!clock.instant().isBefore(deadline)) {
                    throw new Hal0Exception(
                                    ErrorCode.CONFIG_LOCKED,
                                    "Another process has held " + lockFile + " for " + lockDeadline.toSeconds()
                                            + " s, so " + path + " was not changed")
                            .withDetail("path", path.toString());
                }
                Thread.sleep(LOCK_POLL);
            }
            return channel;
        } catch (InterruptedException cancelled) {
            channel.close();
            Thread.currentThread().interrupt();
            throw cancelled(cancelled);
        } catch (IOException | RuntimeException failure) {
            channel.close();
            throw failure;
        }
    }

    private Hal0Exception cancelled(Exception cause) {
        return new Hal0Exception(ErrorCode.OPERATION_CANCELLED, "The change of " + path + " was cancelled", cause);
    }

    private static boolean acquired(FileChannel channel) throws IOException {
        try {
            return channel.tryLock() != null;
        } catch (OverlappingFileLockException heldInThisProcess) {
            return false;
        }
    }
}
