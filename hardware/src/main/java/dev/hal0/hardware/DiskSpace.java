package dev.hal0.hardware;

import java.io.IOException;
import java.nio.file.Path;

/** The seam to file systems. Implementations are thread-safe. */
@FunctionalInterface
interface DiskSpace {
    /** @return bytes that an ordinary user may still write below this existing folder */
    long freeBytes(Path folder) throws IOException;
}
