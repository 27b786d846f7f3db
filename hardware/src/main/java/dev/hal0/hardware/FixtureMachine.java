package dev.hal0.hardware;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** The seams of {@link Host} on a folder that stands for a machine. Immutable. */
record FixtureMachine(Path root) implements CommandRunner, DeviceOpener, DiskSpace {
    @Override
    public Optional<String> output(List<String> argv, Duration deadline) {
        Path output = root.resolve("commands").resolve(argv.getFirst() + ".out");
        Path exitCode = root.resolve("commands").resolve(argv.getFirst() + ".rc");
        try {
            boolean failed = Files.exists(exitCode)
                    && !Files.readString(exitCode).strip().equals("0");
            return failed || !Files.exists(output) ? Optional.empty() : Optional.of(Files.readString(output));
        } catch (IOException unreadable) {
            return Optional.empty();
        }
    }

    @Override
    public NodeAccess open(Path node) {
        if (!Files.exists(node)) {
            return NodeAccess.ABSENT;
        }
        try {
            Path denied = root.resolve("unopenable");
            boolean listed = Files.exists(denied)
                    && Files.readAllLines(denied).contains(root.relativize(node).toString());
            return listed ? NodeAccess.DENIED : NodeAccess.USABLE;
        } catch (IOException unreadable) {
            return NodeAccess.FAILED;
        }
    }

    @Override
    public long freeBytes(Path folder) throws IOException {
        return Long.parseLong(Files.readString(root.resolve("disk_free_bytes")).strip());
    }
}
