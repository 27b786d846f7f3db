package dev.hal0.runtime.install;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;

/** The disk's faults, in words. */
record StorageFaults(Path enginesRoot) {
    /** Unpacked size by packed size, measured at 4.3, rounded up. */
    private static final int EXPANSION = 5;

    void requireSpace(EngineLock lock) throws IOException {
        long free = Files.getFileStore(enginesRoot).getUsableSpace();
        if (free < spaceNeeded(lock)) {
            throw new Hal0Exception(
                            ErrorCode.SYSTEM_STORAGE,
                            "Installing " + lock.engine() + " needs about " + spaceNeeded(lock) / 1_000_000 + " MB in "
                                    + enginesRoot + ", where " + free / 1_000_000 + " MB are free")
                    .withDetail("path", enginesRoot.toString());
        }
    }

    Hal0Exception installing(EngineLock lock, IOException failure) {
        return of(failure, ": an install needs about " + spaceNeeded(lock) / 1_000_000 + " MB");
    }

    Hal0Exception of(IOException failure) {
        return of(failure, "");
    }

    /** The JDK has no type for it; the C library's words stand at the end of the message. */
    static boolean diskFull(IOException failure) {
        String message = String.valueOf(failure.getMessage());
        return Set.of("No space left on device", "Disk quota exceeded").stream().anyMatch(message::endsWith);
    }

    private Hal0Exception of(IOException failure, String need) {
        String message = diskFull(failure)
                ? "The disk of " + enginesRoot + " is full" + need
                : "Could not install in " + enginesRoot + ": "
                        + failure.getClass().getSimpleName() + ": " + failure.getMessage();
        return new Hal0Exception(ErrorCode.SYSTEM_STORAGE, message, failure).withDetail("path", enginesRoot.toString());
    }

    private static long spaceNeeded(EngineLock lock) {
        return lock.totalSize() * (1 + EXPANSION);
    }
}
