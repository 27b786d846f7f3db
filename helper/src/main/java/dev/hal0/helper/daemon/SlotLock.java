package dev.hal0.helper.daemon;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.SlotName;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** One change to a slot at a time, across all helpers: each connection has a process of its own. The kernel frees it. */
final class SlotLock implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(100);
    private static final long POLL_MILLIS = 20;

    private final FileChannel channel;

    private SlotLock(FileChannel channel) {
        this.channel = channel;
    }

    static SlotLock take(SlotPaths paths, SlotName slot) {
        Path file = paths.lock(slot);
        long end = System.nanoTime() + PATIENCE.toNanos();
        var never = new CountDownLatch(1);
        try {
            Files.createDirectories(file.getParent());
            FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            while (tryLock(channel) == null) {
                if (System.nanoTime() > end || never.await(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
                    channel.close();
                    throw new Hal0Exception(
                            ErrorCode.RUNTIME_STUCK, "Another change to slot " + slot + " does not end.");
                }
            }
            return new SlotLock(channel);
        } catch (IOException failure) {
            throw new Hal0Exception(ErrorCode.SYSTEM_STORAGE, "Could not lock " + file + ": " + failure, failure);
        } catch (InterruptedException cancelled) {
            Thread.currentThread().interrupt();
            throw new Hal0Exception(
                    ErrorCode.OPERATION_CANCELLED, "Given up while waiting for slot " + slot, cancelled);
        }
    }

    private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException sameProcess) {
            return null;
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException nothingWasWritten) {
            // Closing frees the lock in any case.
        }
    }
}
