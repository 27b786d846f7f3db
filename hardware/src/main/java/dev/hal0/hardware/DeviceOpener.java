package dev.hal0.hardware;

import java.nio.file.Path;

/** The seam to device nodes. Implementations are thread-safe. */
@FunctionalInterface
interface DeviceOpener {
    NodeAccess open(Path node);
}
