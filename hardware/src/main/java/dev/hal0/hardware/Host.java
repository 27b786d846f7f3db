package dev.hal0.hardware;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;

/**
 * Where facts about a machine are read from: the machine itself, or a folder that looks like one. Nothing here throws for
 * a fact that cannot be had; the answer is then empty. Immutable and thread-safe; every call reads anew.
 */
public final class Host {
    /** Files below /proc and /sys are small; a fixture or a faulty driver must not fill the heap. */
    private static final int FILE_LIMIT = 4 << 20;

    private final Path root;
    private final CommandRunner commands;
    private final DeviceOpener devices;
    private final DiskSpace disks;

    Host(Path root, CommandRunner commands, DeviceOpener devices, DiskSpace disks) {
        this.root = root;
        this.commands = commands;
        this.devices = devices;
        this.disks = disks;
    }

    /** The machine that this process runs on. */
    public static Host real() {
        return new Host(
                Path.of("/"),
                RealMachine::output,
                RealMachine::open,
                folder -> Files.getFileStore(folder).getUsableSpace());
    }

    /**
     * A folder that stands for a machine. {@code proc}, {@code sys}, {@code dev}, {@code etc} and {@code run} below it are
     * read as they are. {@code commands/<program>.out} is what a program prints and {@code commands/<program>.rc} its exit
     * code, 0 when absent; a program without {@code .out} is not installed. A readable file below {@code dev} is a usable
     * device, unless the file {@code unopenable} names its path ({@code dev/kfd}, one a line). {@code disk_free_bytes}
     * holds the free space.
     */
    public static Host fixture(Path root) {
        var machine = new FixtureMachine(root);
        return new Host(root, machine, machine, machine);
    }

    /**
     * The content as UTF-8, malformed bytes replaced, 4 MiB at most; empty when it cannot be read. A driver that hangs
     * blocks the reader of its files, beyond interruption.
     */
    public Optional<String> read(String path) {
        try (InputStream stream = Files.newInputStream(resolve(path))) {
            return Optional.of(new String(stream.readNBytes(FILE_LIMIT), StandardCharsets.UTF_8));
        } catch (IOException | InvalidPathException | SecurityException unreadable) {
            return Optional.empty();
        }
    }

    /** {@link #read} without surrounding blanks; empty also for a blank file. */
    public Optional<String> line(String path) {
        return read(path).map(String::strip).filter(text -> !text.isEmpty());
    }

    /** A file that holds one decimal number; empty for anything else. */
    public OptionalLong number(String path) {
        return line(path).map(Parsing::number).orElseGet(OptionalLong::empty);
    }

    public boolean exists(String path) {
        return Files.exists(resolve(path));
    }

    /** Names in a folder, sorted; empty when there is no such folder or it cannot be read. */
    public List<String> list(String folder) {
        try (Stream<Path> entries = Files.list(resolve(folder))) {
            return entries.map(entry -> String.valueOf(entry.getFileName()))
                    .sorted(Parsing.NATURAL_ORDER)
                    .toList();
        } catch (IOException | UncheckedIOException unreadable) {
            return List.of();
        }
    }

    /**
     * What a program prints; empty when it is not installed, fails or does not end in time. Blocks at most a few seconds
     * beyond the deadline, also for a program that cannot be killed.
     *
     * @throws dev.hal0.kernel.Hal0Exception {@code operation.cancelled} when the thread is interrupted
     */
    public Optional<String> output(Duration deadline, String... argv) {
        return commands.output(List.of(argv), deadline);
    }

    NodeAccess open(String node) {
        try {
            return devices.open(resolve(node));
        } catch (RuntimeException notAPath) {
            return NodeAccess.FAILED;
        }
    }

    /** Free bytes where {@code folder} is or would be created. */
    public OptionalLong freeBytes(String folder) {
        Path candidate = resolve(folder);
        while (candidate != null && !Files.isDirectory(candidate)) {
            candidate = candidate.getParent();
        }
        if (candidate == null) {
            return OptionalLong.empty();
        }
        try {
            return OptionalLong.of(disks.freeBytes(candidate));
        } catch (IOException | NumberFormatException unknown) {
            return OptionalLong.empty();
        }
    }

    private Path resolve(String path) {
        return root.resolve(path.startsWith("/") ? path.substring(1) : path);
    }
}
