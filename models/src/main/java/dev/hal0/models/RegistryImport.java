package dev.hal0.models;

import dev.hal0.kernel.DurableFiles;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.TomlDocument;
import dev.hal0.kernel.TomlFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Optional;

/**
 * Puts the registry of a backup in place, and nothing else of the backup. It is read and understood before the one that is
 * there is touched; that one is kept beside it. Thread-safe.
 */
public final class RegistryImport {
    private static final DateTimeFormatter STAMP =
            DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);

    private final DurableFiles files;
    private final FileExaminer examiner;
    private final InstantSource clock;
    private final RegistryArchive.Limits limits;

    public RegistryImport(DurableFiles files, GgufReader reader, InstantSource clock) {
        this(files, reader, clock, RegistryArchive.Limits.DEFAULT);
    }

    RegistryImport(DurableFiles files, GgufReader reader, InstantSource clock, RegistryArchive.Limits limits) {
        this.files = files;
        this.examiner = new FileExaminer(reader);
        this.clock = clock;
        this.limits = limits;
    }

    /**
     * @param archive a tar.gz with {@code var/lib/hal0/registry/registry.toml}, {@code registry/registry.toml} or
     *     {@code registry.toml}
     * @param destination the registry to write, most often {@code HomeDirectory.modelRegistry()}
     * @param force true to replace a registry that is there, which is kept as a backup
     * @throws Hal0Exception {@code model.archive_invalid}, {@code model.registry_exists}, {@code system.storage}; the
     *     destination is then as it was
     */
    public ImportSummary run(Path archive, Path destination, boolean force) {
        Path target = destination.toAbsolutePath().normalize();
        var found = new RegistryArchive(archive.toAbsolutePath().normalize(), limits).read();
        boolean exists = Files.exists(target, LinkOption.NOFOLLOW_LINKS);
        if (exists && (!force || Files.isDirectory(target))) {
            throw new Hal0Exception(
                            ErrorCode.MODEL_REGISTRY_EXISTS,
                            target + (Files.isDirectory(target) ? " is a folder" : " exists already"))
                    .withDetail("path", target.toString());
        }
        var migration = new RegistryMigration(examiner);
        TomlDocument document = understood(archive, found, migration);
        try {
            Optional<Path> backup = exists ? Optional.of(backup(target)) : Optional.empty();
            write(target, document);
            return new ImportSummary(
                    found.member(),
                    target,
                    backup,
                    migration.idsIn(FileState.Kind.PRESENT),
                    migration.idsIn(FileState.Kind.MISSING),
                    migration.idsIn(FileState.Kind.UNAVAILABLE),
                    migration.idsIn(FileState.Kind.CHANGED),
                    migration.faults(),
                    migration.notes());
        } catch (Hal0Exception failure) {
            throw withAdvice(failure, target);
        }
    }

    private static TomlDocument understood(Path archive, RegistryArchive.Found found, RegistryMigration migration) {
        try {
            TomlDocument original = TomlDocument.parse(archive + "!" + found.member(), found.text());
            ModelRegistry.requireKnownSchema(original);
            return migration.migrated(original);
        } catch (Hal0Exception unusable) {
            throw new Hal0Exception(ErrorCode.MODEL_ARCHIVE_INVALID, unusable.message(), unusable)
                    .withDetail("path", archive.toString());
        }
    }

    private void write(Path target, TomlDocument document) {
        try {
            new TomlFile(target, files).write(document);
        } catch (Hal0Exception broken) {
            if (broken.code() != ErrorCode.CONFIG_INVALID) {
                throw broken;
            }
            // What is there does not parse, is in the backup by now, and is what the import is to repair.
            files.write(target, document.text().getBytes(StandardCharsets.UTF_8), DurableFiles.SHARED);
        }
    }

    /** Under a name that no earlier backup has. */
    private Path backup(Path target) {
        try {
            Path real = target.toRealPath();
            byte[] content = Files.readAllBytes(real);
            String name = target.getFileName() + "." + STAMP.format(clock.instant());
            Path backup = target.resolveSibling(name + ".bak");
            for (int number = 2; Files.exists(backup, LinkOption.NOFOLLOW_LINKS); number++) {
                backup = target.resolveSibling(name + "-" + number + ".bak");
            }
            files.write(backup, content, Files.getPosixFilePermissions(real));
            return backup;
        } catch (IOException failure) {
            throw new Hal0Exception(
                            ErrorCode.SYSTEM_STORAGE,
                            "Could not back up " + target + ": " + Disk.described(failure),
                            failure)
                    .withDetail("path", target.toString());
        }
    }

    private static Hal0Exception withAdvice(Hal0Exception failure, Path target) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof AccessDeniedException) {
                return new Hal0Exception(
                                failure.code(),
                                failure.message() + ". Run it again with sudo, or as the owner of "
                                        + target.getParent(),
                                failure)
                        .withDetail("path", target.toString());
            }
        }
        return failure;
    }
}
