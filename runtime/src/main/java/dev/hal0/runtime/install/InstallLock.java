package dev.hal0.runtime.install;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One process installs or removes here at a time. The kernel frees the lock of one that dies. */
final class InstallLock {
    interface Work<T> {
        T run() throws IOException;
    }

    private static final Logger log = LoggerFactory.getLogger(InstallLock.class);
    private static final Duration OTHER_PROCESS_PATIENCE = Duration.ofMinutes(20);
    private static final Duration POLL = Duration.ofMillis(100);

    private InstallLock() {}

    static <T> T holding(Path file, Consumer<String> progress, Work<T> work) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock held = acquire(channel, progress)) {
            log.trace("{} is held", held);
            return work.run();
        }
    }

    private static FileLock acquire(FileChannel channel, Consumer<String> progress) throws IOException {
        long until = System.nanoTime() + OTHER_PROCESS_PATIENCE.toNanos();
        boolean told = false;
        while (true) {
            try {
                FileLock lock = channel.tryLock();
                if (lock != null) {
                    return lock;
                }
            } catch (OverlappingFileLockException anotherObjectOfThisProcess) {
                log.trace("The lock is taken within this process");
            }
            if (!told) {
                progress.accept("Waiting for another install on this machine to end");
                told = true;
            }
            if (System.nanoTime() > until) {
                throw new Hal0Exception(
                        ErrorCode.ENGINE_INSTALL_FAILED,
                        "Another process has been installing here for " + OTHER_PROCESS_PATIENCE.toMinutes()
                                + " minutes");
            }
            try {
                Thread.sleep(POLL);
            } catch (InterruptedException cancelled) {
                Thread.currentThread().interrupt();
                FileTransfer.requireNotCancelled();
            }
        }
    }
}
