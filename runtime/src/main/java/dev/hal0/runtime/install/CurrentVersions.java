package dev.hal0.runtime.install;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** Makes a lock of the versions that a suite has today, where the pinned ones are gone from every mirror. */
final class CurrentVersions {
    private final PackageSources sources;
    private final Mirrors mirrors;
    private final FileTransfer transfer;
    private final SignedIndex index;

    CurrentVersions(PackageSources sources, Mirrors mirrors, FileTransfer transfer, MirrorHttp http) {
        this.sources = sources;
        this.mirrors = mirrors;
        this.transfer = transfer;
        this.index = new SignedIndex(http, transfer, AptConfiguration.read(sources.aptDirectory()));
    }

    /** @throws Hal0Exception saying why there is none that can be trusted, and the ways out */
    EngineLock resolve(EngineLock pinned, PinGoneException gone, Consumer<String> progress) throws IOException {
        ClosureRules rules = ClosureRules.shipped(pinned.engine())
                .orElseThrow(() -> mirrors.unsuitable(pinned, String.valueOf(gone.getMessage())));
        ArchiveKeyring keyring = keyring(pinned, gone);
        progress.accept(pinned.engine() + " " + pinned.version()
                + ", the version that was tested with hal0, is gone from every mirror. Looking up the current one in"
                + " Debian's signed index");
        SignedIndex.Index found = index.fetch(pinned, mirrors, keyring, String.valueOf(gone.getMessage()));
        Path file = transfer.file(found.packages());
        try {
            EngineLock lock = pinned.unpinned(Closure.of(new PackageIndex(file), rules), rules.rootPackage());
            progress.accept("Installing " + lock.engine() + " " + lock.version() + " from "
                    + MirrorHttp.shown(found.mirror()) + ", unpinned: Debian signed it, nobody has tried it with hal0");
            return lock;
        } catch (UntrustedIndexException lacking) {
            throw new Hal0Exception(
                            ErrorCode.ENGINE_INSTALL_FAILED,
                            "The pinned packages of " + pinned.engine() + " " + pinned.version() + " are gone. "
                                    + gone.getMessage() + " The current ones were not taken, because "
                                    + found.packages().path() + " of " + MirrorHttp.shown(found.mirror()) + " "
                                    + lacking.getMessage()
                                    + ". Set [engines].mirror to one that still has the pinned version, or have"
                                    + " llama-server on PATH.")
                    .withParam("engines.mirror");
        } finally {
            Files.deleteIfExists(file);
        }
    }

    private ArchiveKeyring keyring(EngineLock pinned, PinGoneException gone) {
        List<Path> candidates = sources.keyring().map(List::of).orElse(ArchiveKeyring.OF_MACHINE);
        try {
            Optional<ArchiveKeyring> keyring = ArchiveKeyring.first(candidates);
            return keyring.orElseThrow(() -> noKeyring(pinned, gone, "there is no " + candidates.getLast()));
        } catch (IOException unreadable) {
            throw noKeyring(
                    pinned,
                    gone,
                    "the keyring " + candidates.getFirst() + " cannot be used (" + unreadable.getMessage() + ")");
        }
    }

    private Hal0Exception noKeyring(EngineLock pinned, PinGoneException gone, String why) {
        return mirrors.unsuitable(
                pinned,
                gone.getMessage() + " Debian's signature of the current versions cannot be verified: " + why + ". "
                        + (sources.keyring().isPresent()
                                ? "[engines].keyring names it: correct that."
                                : "Install the package debian-archive-keyring, or let [engines].keyring name the"
                                        + " keyring."));
    }
}
