package dev.hal0.runtime.install;

import dev.hal0.kernel.DurableFiles;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.TomlDocument;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;
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
 * over. When the pinned packages are gone from every mirror, those of the day are installed beside as
 * {@code VERSION_unpinned}, if Debian's signature holds, they start and know all flags. One install per engine at a time: a second caller of this object shares the first one's, another process waits.
 */
final class ClosureInstaller {
    /** Instants at which a test can end the process. */
    enum Step {
        LOCKED,
        /** Only where the pinned packages are gone. */
        RESOLVED,
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

    private static final Logger log = LoggerFactory.getLogger(ClosureInstaller.class);

    private final Path enginesRoot;
    private final PackageSources sources;
    private final Map<String, String> environment;
    private final Tuning tuning;
    private final InstalledVersions versions;
    private final StorageFaults faults;
    private final Canary canary;
    private final SharedInstalls shared = new SharedInstalls();

    ClosureInstaller(
            Path enginesRoot,
            DurableFiles files,
            PackageSources sources,
            Map<String, String> environment,
            Tuning tuning) {
        this.enginesRoot = enginesRoot.toAbsolutePath().normalize();
        this.sources = sources;
        this.environment = Map.copyOf(environment);
        this.tuning = tuning;
        this.versions = new InstalledVersions(this.enginesRoot, files);
        this.faults = new StorageFaults(this.enginesRoot);
        this.canary = new Canary(tuning.canaryDeadline());
    }

    /** The installed program that launches use; empty when there is none, or it is damaged. */
    Optional<Program> current(String engine) {
        return versions.currentName(engine).flatMap(version -> versions.program(engine, version));
    }

    /** Newest first. */
    List<InstalledVersion> list(String engine) {
        return versions.list(engine);
    }

    /**
     * Makes the lock's version the current one, or the version of the day where that one is gone.
     *
     * @throws Hal0Exception {@code engine.install_failed}, {@code engine.mirror_unsuitable}, {@code system.storage},
     *     {@code operation.cancelled}
     */
    Program install(EngineLock lock, Consumer<String> progress) {
        return shared.run(
                lock.engine(),
                progress,
                everybody -> locked(lock.engine(), everybody, () -> installLocked(lock, everybody)));
    }

    /**
     * Deletes a version. Without its current version an engine starts with the newest one that is left, or is not installed.
     *
     * @throws Hal0Exception {@code engine.in_use} while a process runs from it, {@code engine.unknown} for none of ours
     */
    void remove(String engine, String version) {
        locked(engine, sentence -> {}, () -> {
            List<String> installed = versions.names(engine);
            if (!installed.contains(version)) {
                throw new Hal0Exception(
                        ErrorCode.ENGINE_UNKNOWN,
                        "No version '" + version + "' of " + engine + " is installed; there "
                                + (installed.isEmpty() ? "is none" : "are: " + String.join(", ", installed)));
            }
            versions.requireUnused(engine, version);
            versions.abdicate(engine, version);
            versions.discard(engine, version);
            return version;
        });
    }

    private <T> T locked(String engine, Consumer<String> progress, InstallLock.Work<T> work) {
        try {
            Files.createDirectories(versions.folder(engine));
            Files.createDirectories(downloadsFolder());
            return InstallLock.holding(enginesRoot.resolve(".install.lock"), progress, work);
        } catch (ClosedByInterruptException cancelled) {
            throw new Hal0Exception(ErrorCode.OPERATION_CANCELLED, "The install was cancelled", cancelled);
        } catch (IOException failure) {
            throw faults.of(failure);
        }
    }

    private Program installLocked(EngineLock lock, Consumer<String> progress) throws IOException {
        reached(Step.LOCKED);
        requireArchitecture(lock);
        versions.clearLeftovers(lock.engine());
        var http = new MirrorHttp(environment, tuning.networkTimeout());
        var transfer = new FileTransfer(downloadsFolder(), http, tuning.retryPause());
        var mirrors = Mirrors.of(sources);
        var downloads = new PackageDownloads(transfer, http, mirrors, new BundledPackages(sources.bundles()));
        try {
            return installOne(lock, downloads, progress);
        } catch (PinGoneException gone) {
            EngineLock today = new CurrentVersions(sources, mirrors, transfer, http).resolve(lock, gone, progress);
            reached(Step.RESOLVED);
            return installToday(today, downloads, progress);
        }
    }

    private Program installToday(EngineLock today, PackageDownloads downloads, Consumer<String> progress)
            throws IOException {
        try {
            return installOne(today, downloads, progress);
        } catch (PinGoneException movedOn) {
            throw new Hal0Exception(
                    ErrorCode.ENGINE_INSTALL_FAILED,
                    "The mirror does not have what its own index lists; it may be changing now. "
                            + movedOn.getMessage(),
                    movedOn);
        }
    }

    private Program installOne(EngineLock lock, PackageDownloads downloads, Consumer<String> progress)
            throws IOException, PinGoneException {
        String version = versions.nameFor(lock);
        Path installed = versions.folder(lock.engine()).resolve(version);
        Optional<Program> present = versions.program(lock.engine(), version);
        if (present.isPresent() && canary.starts(present.get())) {
            if (versions.currentName(lock.engine()).filter(version::equals).isEmpty()) {
                switchTo(lock, version);
            }
            return present.get();
        }
        if (Files.exists(installed, LinkOption.NOFOLLOW_LINKS)) {
            log.warn("{} is damaged and is installed anew", installed);
            versions.discard(lock.engine(), version);
        }
        Path unpacking = versions.folder(lock.engine()).resolve(".unpacking-" + UUID.randomUUID());
        try {
            return installNew(lock, version, unpacking, downloads, progress);
        } catch (IOException failure) {
            Trees.deleteAfter(unpacking, failure);
            if (failure instanceof ClosedByInterruptException) {
                throw failure;
            }
            throw faults.installing(lock, failure);
        } catch (Hal0Exception failure) {
            Trees.deleteAfter(unpacking, failure);
            throw failure;
        }
    }

    private Program installNew(
            EngineLock lock, String version, Path unpacking, PackageDownloads downloads, Consumer<String> progress)
            throws IOException, PinGoneException {
        faults.requireSpace(lock);
        String from = downloads.fetch(lock, progress, () -> reached(Step.DOWNLOADED_ONE));
        reached(Step.DOWNLOADED);

        progress.accept("Unpacking " + lock.engine() + " " + lock.version());
        Path root = unpacking.resolve("root");
        Files.createDirectories(root);
        unpack(lock, downloads, root);
        reached(Step.UNPACKED);

        progress.accept("Checking that it starts");
        Canary.Findings findings = canary.examine(lock.engine(), lock.program(root, ""));
        requireFlags(lock, findings);
        reached(Step.CHECKED);

        Files.writeString(unpacking.resolve("install.toml"), recordText(lock, from, findings));
        Trees.force(unpacking);
        reached(Step.SYNCED);
        Path installed = versions.folder(lock.engine()).resolve(version);
        Files.move(unpacking, installed, StandardCopyOption.ATOMIC_MOVE);
        Trees.forceFolder(versions.folder(lock.engine()));
        reached(Step.RENAMED);
        switchTo(lock, version);
        for (EngineLock.Pin pin : lock.packages()) {
            Files.deleteIfExists(downloads.file(pin));
        }
        progress.accept("Installed " + lock.engine() + " " + lock.version() + (lock.pinned() ? "" : ", unpinned"));
        return lock.program(installed.resolve("root"), findings.reportedVersion());
    }

    private void unpack(EngineLock lock, PackageDownloads downloads, Path root) throws IOException {
        var archive = new DebArchive(root);
        for (EngineLock.Pin pin : lock.packages()) {
            FileTransfer.requireNotCancelled();
            try {
                archive.unpack(downloads.file(pin));
            } catch (FileSystemException | ClosedByInterruptException ours) {
                throw ours;
            } catch (IOException failure) {
                if (StorageFaults.diskFull(failure)) {
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

    /** A pinned version was tried: if its help words a flag otherwise, that is our reading of it. */
    private static void requireFlags(EngineLock lock, Canary.Findings findings) {
        if (findings.missingFlags().isEmpty()) {
            return;
        }
        if (!lock.pinned()) {
            throw new Hal0Exception(
                            ErrorCode.ENGINE_INSTALL_FAILED,
                            lock.engine() + " " + lock.version() + ", the current version of " + lock.suite()
                                    + ", does not know " + String.join(", ", findings.missingFlags())
                                    + ", which hal0 passes to it, so nothing was changed. Set [engines].mirror to one"
                                    + " that still has the pinned version, or have llama-server on PATH.")
                    .withDetail("missing_flags", findings.missingFlags());
        }
        log.info(
                "The help of {} {} does not name {} of the flags that hal0 passes",
                lock.engine(),
                lock.version(),
                findings.missingFlags().size());
    }

    private void switchTo(EngineLock lock, String version) {
        versions.switchTo(lock.engine(), version, () -> reached(Step.SWITCHED));
    }

    /** The lock itself, so that a version starts as its own lock says, after hal0 ships another one, too. */
    private static String recordText(EngineLock lock, String from, Canary.Findings findings) {
        String source = (from.isEmpty() ? "packages kept from an earlier try," : from) + " " + lock.suite()
                + (lock.pinned() ? "" : " unpinned");
        return TomlDocument.empty("install.toml")
                        .with(List.of("source"), source)
                        .with(List.of("reported_version"), findings.reportedVersion())
                        .with(List.of("flags_known"), findings.missingFlags().isEmpty())
                        .with(List.of("missing_flags"), findings.missingFlags())
                        .text()
                + "\n" + lock.text();
    }

    private static void requireArchitecture(EngineLock lock) {
        if (!EngineLock.machineArchitecture().equals(lock.architecture())) {
            throw new Hal0Exception(
                    ErrorCode.ENGINE_INSTALL_FAILED,
                    "The packages of " + lock.engine() + " are for " + lock.architecture() + ", and this machine is "
                            + EngineLock.machineArchitecture() + ": put llama-server on PATH instead");
        }
    }

    private void reached(Step step) {
        tuning.reached().accept(step);
    }

    private Path downloadsFolder() {
        return enginesRoot.resolve("downloads");
    }
}
