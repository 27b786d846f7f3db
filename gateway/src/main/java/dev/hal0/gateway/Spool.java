package dev.hal0.gateway;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The folder for request bodies that are too large to be kept in memory. Its files are mode 0600 and lose their name as soon as
 * they are open: the system frees them when they are closed, also when this process is killed. What was killed between the two
 * steps is swept at the next start. Thread-safe; calls block.
 */
public final class Spool {
    private static final Logger log = LoggerFactory.getLogger(Spool.class);
    private static final String SUFFIX = ".body";

    /** Bodies up to this size stay in memory. */
    private static final int MEMORY_BYTES = 8 << 20;

    /** Makes a new nameless file. */
    interface Opener {
        FileChannel open() throws IOException;
    }

    private final int memoryBytes;
    private final Opener opener;

    /** @param folder is made when needed, and cleared of what an earlier process left */
    public Spool(Path folder) {
        this(MEMORY_BYTES, () -> open(folder));
        sweep(folder);
    }

    Spool(int memoryBytes, Opener opener) {
        this.memoryBytes = memoryBytes;
        this.opener = opener;
    }

    int memoryBytes() {
        return memoryBytes;
    }

    /** @throws Hal0Exception {@code system.storage} */
    SpoolFile create() {
        try {
            return new SpoolFile(opener.open());
        } catch (IOException failure) {
            throw failed(failure);
        }
    }

    static Hal0Exception failed(IOException cause) {
        return new Hal0Exception(
                ErrorCode.SYSTEM_STORAGE,
                "The body is too large for memory and could not be stored on disk: " + cause.getMessage(),
                cause);
    }

    private static FileChannel open(Path folder) throws IOException {
        Files.createDirectories(
                folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        return FileChannel.open(
                folder.resolve(UUID.randomUUID() + SUFFIX),
                Set.of(
                        StandardOpenOption.CREATE_NEW,
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE,
                        // On Linux the JDK takes the name away right after opening.
                        StandardOpenOption.DELETE_ON_CLOSE),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    }

    private static void sweep(Path folder) {
        if (!Files.isDirectory(folder)) {
            return;
        }
        try (DirectoryStream<Path> left = Files.newDirectoryStream(folder, "*" + SUFFIX)) {
            for (Path file : left) {
                Files.deleteIfExists(file);
            }
        } catch (IOException failure) {
            log.warn("{} could not be cleared: {}", folder, failure.toString());
        }
    }
}
