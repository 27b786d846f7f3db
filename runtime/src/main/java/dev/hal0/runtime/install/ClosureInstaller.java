package dev.hal0.runtime.install;

import dev.hal0.kernel.CommandOptions;
import dev.hal0.kernel.Commands;
import dev.hal0.kernel.DurableFiles;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.TomlDocument;
import java.io.IOException;
import java.net.URI;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Installs an engine from its pinned packages as an ordinary user, without the machine's package manager:
 *
 * <pre>
 * downloads/SHA256.deb(.part)          kept until the install is done, so the next try resumes
 * ENGINE/.unpacking-RANDOM/            becomes, once its program has been seen to start,
 * ENGINE/VERSION/{install.toml,root/}  by a rename
 * ENGINE/current                       names the version that launches use
 * </pre>
 *
 * A version folder is complete or not there, whatever instant the machine dies at; the next install clears what is left
 * over. One install per engine at a time: a second caller of this object shares the first one's, another process waits.
 */
final class ClosureInstaller {
    /** Instants at which a test can end the process. */
    enum Step {
        LOCKED,
        DOWNLOADED_ONE,
        DOWNLOADED,
        UNPACKED_ONE,
        UNPACKED,
        CHECKED,
        SYNCED,
        RENAMED,
        SWITCHED
    }

    /** What tests make shorter, or break. */
    record Tuning(Duration networkTimeout, Duration retryPause, Duration canaryDeadline, Consumer<Step> reached) {
        static final Tuning DEFAULT =
                new Tuning(Duration.ofSeconds(30), Duration.ofSeconds(1), Duration.ofSeconds(30), step -> {});
    }

    /** An install under way and who hears of it. */
    private record Running(CompletableFuture<Program> result, List<Consumer<String>> listeners) {
        void say(String sentence) {
            for (Consumer<String> listener : listeners) {
                try {
                    listener.accept(sentence);
                } catch (RuntimeException gone) {
                    log.debug("Nobody hears \"{}\" any more: {}", sentence, gone.toString());
                    listeners.remove(listener);
                }
            }
        }
    }

    private static final Logger log = LoggerFactory.getLogger(ClosureInstaller.class);
    private static final Duration OTHER_PROCESS_PATIENCE = Duration.ofMinutes(20);
    private static final Duration POLL = Duration.ofMillis(100);
    /** Unpacked size by packed size, measured at 4.3, rounded up. */
    private static final int EXPANSION = 5;

    private static final Pattern REPORTED_VERSION = Pattern.compile("(?m)^version:\\s*(.+)$");
    private static final Pattern LEFTOVER = Pattern.compile("\\.(unpacking|removing)-.*|\\.current\\..*\\.tmp");

    private final Path enginesRoot;
    private final DurableFiles files;
    private final Optional<URI> mirror;
    private final Path aptDirectory;
    private final Map<String, String> environment;
    private final Tuning tuning;
    private final Commands commands = new Commands();
    private final ConcurrentHashMap<String, Running> running = new ConcurrentHashMap<>();

    ClosureInstaller(
            Path enginesRoot,
            DurableFiles files,
            Optional<URI> mirror,
            Path aptDirectory,
            Map<String, String> environment,
            Tuning tuning) {
        this.enginesRoot = enginesRoot.toAbsolutePath().normalize();
        this.files = files;
        this.mirror = mirror;
        this.aptDirectory = aptDirectory;
        this.environment = Map.copyOf(environment);
        this.tuning = tuning;
    }

    /** The installed program that launches use; empty when there is none, or it is damaged. */
    Optional<Program> current(String engine) {
        return currentName(engine).flatMap(version -> program(engine, version));
    }

    /** Newest first. */
    List<InstalledVersion> list(String engine) {
        var found = new ArrayList<InstalledVersion>();
        String current = currentName(engine).orElse("");
        for (String version : versions(engine)) {
            record(engine, version)
                    .ifPresent(install -> found.add(new InstalledVersion(
                            engine,
                            version,
                            install.string(List.of("reported_version")).orElse(""),
                            install.string(List.of("source")).orElse(""),
                            version.equals(current))));
        }
        return List.copyOf(found);
    }

    /**
     * Makes the lock's version the current one.
     *
     * @throws Hal0Exception {@code engine.install_failed}, {@code engine.mirror_unsuitable}, {@code system.storage},
     *     {@code operation.cancelled}
     */
    Program install(EngineLock lock, Consumer<String> progress) {
        while (true) {
            var mine = new Running(new CompletableFuture<>(), new CopyOnWriteArrayList<>(List.of(progress)));
            Running other = running.putIfAbsent(lock.engine(), mine);
            if (other == null) {
                return lead(lock, mine);
            }
            other.listeners().add(progress);
            Optional<Program> shared = join(other);
            if (shared.isPresent()) {
                return shared.get();
            }
        }
    }

    /**
     * Deletes a version. Without its current version an engine starts with the newest one that is left, or is not installed.
     *
     * @throws Hal0Exception {@code engine.in_use} while a process runs from it, {@code engine.unknown} for none of ours
     */
    void remove(String engine, String version) {
        locked(engine, sentence -> {}, () -> {
            List<String> installed = versions(engine);
            if (!installed.contains(version)) {
                throw new Hal0Exception(
                        ErrorCode.ENGINE_UNKNOWN,
                        "No version '" + version + "' of " + engine + " is installed; there "
                                + (installed.isEmpty() ? "is none" : "are: " + String.join(", ", installed)));
            }
            Path gone = folder(engine).resolve(version);
            RunningPrograms.from(gone).ifPresent(pid -> {
                throw new Hal0Exception(
                        ErrorCode.ENGINE_IN_USE,
                        "Process " + pid + " runs " + engine + " " + version + "; nothing was deleted");
            });
            if (currentName(engine).filter(version::equals).isPresent()) {
                Optional<String> next = installed.stream()
                        .filter(other -> !other.equals(version))
                        .findFirst();
                if (next.isPresent()) {
                    files.write(folder(engine).resolve("current"), next.get() + "\n");
                } else {
                    Files.deleteIfExists(folder(engine).resolve("current"));
                }
            }
            discard(gone);
            return version;
        });
    }

    private Program lead(EngineLock lock, Running mine) {
        try {
            Program program = locked(lock.engine(), mine::say, () -> installLocked(lock, mine::say));
            mine.result().complete(program);
            return program;
        } catch (RuntimeException | Error failure) {
            mine.result().completeExceptionally(failure);
            throw failure;
        } finally {
            running.remove(lock.engine(), mine);
        }
    }

    /** Empty when the leader gave up for itself alone: then the caller leads. */
    private static Optional<Program> join(Running other) {
        try {
            return Optional.of(other.result().get());
        } catch (ExecutionException failed) {
            if (failed.getCause() instanceof Hal0Exception failure) {
                if (failure.code() == ErrorCode.OPERATION_CANCELLED) {
                    return Optional.empty();
                }
                throw failure;
            }
            throw new Hal0Exception(
                    ErrorCode.SYSTEM_INTERNAL,
                    "The install that this one waited for broke down: " + failed.getCause(),
                    failed);
        } catch (InterruptedException cancelled) {
            Thread.currentThread().interrupt();
            throw new Hal0Exception(ErrorCode.OPERATION_CANCELLED, "Waiting for the install was cancelled", cancelled);
        }
    }

    private interface Work<T> {
        T run() throws IOException;
    }

    /** Runs {@code work} while no other process installs or removes here. The kernel frees the lock of one that dies. */
    private <T> T locked(String engine, Consumer<String> progress, Work<T> work) {
        try {
            Files.createDirectories(folder(engine));
            Files.createDirectories(downloadsFolder());
            try (FileChannel channel = FileChannel.open(
                            enginesRoot.resolve(".install.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                    FileLock held = acquire(channel, progress)) {
                log.trace("{} is held", held);
                return work.run();
            }
        } catch (ClosedByInterruptException cancelled) {
            throw new Hal0Exception(ErrorCode.OPERATION_CANCELLED, "The install was cancelled", cancelled);
        } catch (IOException failure) {
            throw storage(failure, 0);
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
                PackageDownloads.requireNotCancelled();
            }
        }
    }

    private Program installLocked(EngineLock lock, Consumer<String> progress) throws IOException {
        reached(Step.LOCKED);
        requireArchitecture(lock);
        clearLeftovers(lock.engine());
        String version = folderName(lock);
        Path installed = folder(lock.engine()).resolve(version);
        Optional<Program> present = program(lock.engine(), version);
        if (present.isPresent() && starts(present.get())) {
            if (currentName(lock.engine()).filter(version::equals).isEmpty()) {
                switchTo(lock.engine(), version);
            }
            return present.get();
        }
        if (Files.exists(installed, LinkOption.NOFOLLOW_LINKS)) {
            log.warn("{} is damaged and is installed anew", installed);
            discard(installed);
        }
        Path unpacking = folder(lock.engine()).resolve(".unpacking-" + UUID.randomUUID());
        try {
            return installNew(lock, version, unpacking, progress);
        } catch (IOException failure) {
            deleteAfter(unpacking, failure);
            if (failure instanceof ClosedByInterruptException) {
                throw failure;
            }
            throw storage(failure, spaceNeeded(lock));
        } catch (Hal0Exception failure) {
            deleteAfter(unpacking, failure);
            throw failure;
        }
    }

    private Program installNew(EngineLock lock, String version, Path unpacking, Consumer<String> progress)
            throws IOException {
        requireSpace(lock);
        var downloads = new PackageDownloads(
                downloadsFolder(),
                mirror.map(List::of).orElseGet(() -> AptSources.mirrors(aptDirectory)),
                mirror.isPresent(),
                environment,
                tuning.networkTimeout(),
                tuning.retryPause());
        downloads.keepOnly(lock);
        String from = downloads.fetch(lock, progress, () -> reached(Step.DOWNLOADED_ONE));
        reached(Step.DOWNLOADED);

        progress.accept("Unpacking " + lock.engine() + " " + lock.version());
        Path root = unpacking.resolve("root");
        Files.createDirectories(root);
        unpack(lock, downloads, root);
        reached(Step.UNPACKED);

        progress.accept("Checking that it starts");
        String reported = canary(lock.program(root, ""));
        reached(Step.CHECKED);

        Files.writeString(unpacking.resolve("install.toml"), recordText(lock, from, reported));
        force(unpacking);
        reached(Step.SYNCED);
        Path installed = folder(lock.engine()).resolve(version);
        Files.move(unpacking, installed, StandardCopyOption.ATOMIC_MOVE);
        forceFolder(folder(lock.engine()));
        reached(Step.RENAMED);
        switchTo(lock.engine(), version);
        for (EngineLock.Pin pin : lock.packages()) {
            Files.deleteIfExists(downloads.file(pin));
        }
        progress.accept("Installed " + lock.engine() + " " + lock.version());
        return lock.program(installed.resolve("root"), reported);
    }

    private void unpack(EngineLock lock, PackageDownloads downloads, Path root) throws IOException {
        var archive = new DebArchive(root);
        for (EngineLock.Pin pin : lock.packages()) {
            PackageDownloads.requireNotCancelled();
            try {
                archive.unpack(downloads.file(pin));
            } catch (FileSystemException | ClosedByInterruptException ours) {
                throw ours;
            } catch (IOException failure) {
                if (diskFull(failure)) {
                    throw failure;
                }
                throw malformed(pin.name(), failure);
            }
            reached(Step.UNPACKED_ONE);
        }
        try {
            archive.requireLinksInside();
        } catch (DebArchive.MalformedPackageException failure) {
            throw malformed(lock.engine(), failure);
        }
    }

    private static Hal0Exception malformed(String name, IOException failure) {
        return new Hal0Exception(
                ErrorCode.ENGINE_INSTALL_FAILED,
                "The package " + name + " cannot be unpacked: " + failure.getMessage(),
                failure);
    }

    /** The version that the program reports. */
    private String canary(Program program) {
        var argv = new ArrayList<>(program.command());
        argv.add("--version");
        var options = CommandOptions.within(tuning.canaryDeadline()).withOnlyEnvironment(Map.of("LC_ALL", "C"));
        try {
            var result = commands.run(
                            argv,
                            program.workingDirectory()
                                    .map(options::withWorkingDirectory)
                                    .orElse(options))
                    .requireSuccess("Starting the unpacked program");
            var reported = REPORTED_VERSION.matcher(result.stdout() + "\n" + result.stderr());
            return reported.find() ? reported.group(1).strip() : "";
        } catch (Hal0Exception failure) {
            if (failure.code() == ErrorCode.OPERATION_CANCELLED) {
                throw failure;
            }
            var wrapped = new Hal0Exception(
                    ErrorCode.ENGINE_INSTALL_FAILED,
                    "What was unpacked does not start on this machine, so nothing was changed: " + failure.message(),
                    failure);
            for (var detail : failure.details().entrySet()) {
                wrapped = wrapped.withDetail(detail.getKey(), detail.getValue());
            }
            throw wrapped;
        }
    }

    private boolean starts(Program program) {
        try {
            canary(program);
            return true;
        } catch (Hal0Exception failure) {
            if (failure.code() == ErrorCode.OPERATION_CANCELLED) {
                throw failure;
            }
            log.warn("The installed program does not start: {}", failure.message());
            return false;
        }
    }

    /** The version before stays for a way back; older ones go. */
    private void switchTo(String engine, String version) {
        String previous = currentName(engine).orElse("");
        files.write(folder(engine).resolve("current"), version + "\n");
        reached(Step.SWITCHED);
        var others =
                versions(engine).stream().filter(name -> !name.equals(version)).toList();
        String kept = others.contains(previous)
                ? previous
                : others.stream().findFirst().orElse("");
        for (String other : others) {
            if (!other.equals(kept)) {
                try {
                    discard(folder(engine).resolve(other));
                } catch (IOException leftForNextTime) {
                    log.warn("{} {} could not be removed: {}", engine, other, leftForNextTime.toString());
                }
            }
        }
    }

    /** A new pin of a library keeps the engine's version, yet is another closure. */
    private String folderName(EngineLock lock) {
        boolean taken = record(lock.engine(), lock.version())
                .map(ClosureInstaller::pins)
                .filter(pins -> !pins.isEmpty() && !pins.equals(lock.packages()))
                .isPresent();
        return taken ? lock.version() + "_" + fingerprint(lock) : lock.version();
    }

    /** None when the record is damaged: then the version is, and is installed anew. */
    private static List<EngineLock.Pin> pins(TomlDocument install) {
        try {
            return EngineLock.parse(install.source(), install.text()).packages();
        } catch (Hal0Exception damaged) {
            return List.of();
        }
    }

    private static String fingerprint(EngineLock lock) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256")
                    .digest(lock.packages().toString().getBytes(java.nio.charset.StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest, 0, 4);
        } catch (NoSuchAlgorithmException impossible) {
            throw new AssertionError("every JDK has SHA-256", impossible);
        }
    }

    /** The lock itself, so that a version starts as its own lock says, after hal0 ships another one, too. */
    private static String recordText(EngineLock lock, String from, String reported) {
        String source = from.isEmpty() ? "packages kept from an earlier try" : from + " " + lock.suite();
        return TomlDocument.empty("install.toml")
                        .with(List.of("source"), source)
                        .with(List.of("reported_version"), reported)
                        .text()
                + "\n" + lock.text();
    }

    private Optional<TomlDocument> record(String engine, String version) {
        Path file = folder(engine).resolve(version).resolve("install.toml");
        try {
            return files.read(file).map(text -> TomlDocument.parse(file.toString(), text));
        } catch (Hal0Exception unreadable) {
            log.warn("{} {} is left out: {}", engine, version, unreadable.message());
            return Optional.empty();
        }
    }

    private Optional<Program> program(String engine, String version) {
        Path root = folder(engine).resolve(version).resolve("root");
        try {
            return record(engine, version)
                    .map(install -> EngineLock.parse(install.source(), install.text())
                            .program(
                                    root,
                                    install.string(List.of("reported_version")).orElse("")))
                    .filter(program -> Files.isExecutable(
                                    Path.of(program.command().getFirst()))
                            && Files.isRegularFile(Path.of(program.command().getLast()))
                            && program.workingDirectory()
                                    .filter(Files::isDirectory)
                                    .isPresent());
        } catch (Hal0Exception damaged) {
            log.warn("{} {} is left out: {}", engine, version, damaged.message());
            return Optional.empty();
        }
    }

    private Optional<String> currentName(String engine) {
        return files.read(folder(engine).resolve("current")).map(String::strip).filter(versions(engine)::contains);
    }

    private List<String> versions(String engine) {
        try (var entries = Files.list(folder(engine))) {
            return entries.filter(entry -> Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS))
                    .filter(entry -> !entry.getFileName().toString().startsWith("."))
                    .sorted(Comparator.comparing(ClosureInstaller::installedAt).reversed())
                    .map(entry -> entry.getFileName().toString())
                    .toList();
        } catch (NoSuchFileException nothingInstalled) {
            return List.of();
        } catch (IOException failure) {
            throw storage(failure, 0);
        }
    }

    private static long installedAt(Path version) {
        return version.resolve("install.toml").toFile().lastModified();
    }

    private void clearLeftovers(String engine) throws IOException {
        try (var entries = Files.list(folder(engine))) {
            for (Path entry : (Iterable<Path>) entries::iterator) {
                if (LEFTOVER.matcher(entry.getFileName().toString()).matches()) {
                    deleteTree(entry);
                }
            }
        }
    }

    /** By a rename first, so that no half of a version is ever seen. */
    private void discard(Path version) throws IOException {
        Path removing = version.resolveSibling(".removing-" + UUID.randomUUID());
        Files.move(version, removing, StandardCopyOption.ATOMIC_MOVE);
        deleteTree(removing);
    }

    private static void deleteTree(Path tree) throws IOException {
        try (var all = Files.walk(tree)) {
            for (Path path : (Iterable<Path>) all.sorted(Comparator.reverseOrder())::iterator) {
                Files.deleteIfExists(path);
            }
        }
    }

    private static void deleteAfter(Path unpacking, Exception failure) {
        try {
            if (Files.exists(unpacking)) {
                deleteTree(unpacking);
            }
        } catch (IOException leftForNextTime) {
            failure.addSuppressed(leftForNextTime);
        }
    }

    private static void force(Path tree) throws IOException {
        try (var all = Files.walk(tree)) {
            for (Path path : (Iterable<Path>) all.sorted(Comparator.reverseOrder())::iterator) {
                if (Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
                    forceFolder(path);
                } else if (Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
                    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
                        channel.force(true);
                    }
                }
            }
        }
    }

    private static void forceFolder(Path folder) throws IOException {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    private static void requireArchitecture(EngineLock lock) {
        String machine = System.getProperty("os.arch", "");
        String debian =
                Map.of("amd64", "amd64", "x86_64", "amd64", "aarch64", "arm64").getOrDefault(machine, machine);
        if (!debian.equals(lock.architecture())) {
            throw new Hal0Exception(
                    ErrorCode.ENGINE_INSTALL_FAILED,
                    "The packages of " + lock.engine() + " are for " + lock.architecture() + ", and this machine is "
                            + machine + ": put llama-server on PATH instead");
        }
    }

    private static long spaceNeeded(EngineLock lock) {
        return lock.totalSize() * (1 + EXPANSION);
    }

    private void requireSpace(EngineLock lock) throws IOException {
        long free = Files.getFileStore(enginesRoot).getUsableSpace();
        if (free < spaceNeeded(lock)) {
            throw new Hal0Exception(
                            ErrorCode.SYSTEM_STORAGE,
                            "Installing " + lock.engine() + " needs about " + spaceNeeded(lock) / 1_000_000 + " MB in "
                                    + enginesRoot + ", where " + free / 1_000_000 + " MB are free")
                    .withDetail("path", enginesRoot.toString());
        }
    }

    private Hal0Exception storage(IOException failure, long needed) {
        String message = diskFull(failure)
                ? "The disk of " + enginesRoot + " is full"
                        + (needed > 0 ? ": an install needs about " + needed / 1_000_000 + " MB" : "")
                : "Could not install in " + enginesRoot + ": "
                        + failure.getClass().getSimpleName() + ": " + failure.getMessage();
        return new Hal0Exception(ErrorCode.SYSTEM_STORAGE, message, failure).withDetail("path", enginesRoot.toString());
    }

    /** The JDK has no type for it; the C library's words stand at the end of the message. */
    private static boolean diskFull(IOException failure) {
        String message = String.valueOf(failure.getMessage());
        return Set.of("No space left on device", "Disk quota exceeded").stream().anyMatch(message::endsWith);
    }

    private void reached(Step step) {
        tuning.reached().accept(step);
    }

    private Path folder(String engine) {
        return enginesRoot.resolve(engine);
    }

    private Path downloadsFolder() {
        return enginesRoot.resolve("downloads");
    }
}
