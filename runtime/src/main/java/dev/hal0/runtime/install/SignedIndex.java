package dev.hal0.runtime.install;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.io.IOException;
import java.net.URI;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Optional;

/** Fetches a suite's list of packages, trusted by Debian's signature over {@code InRelease} and the hashes in it. */
final class SignedIndex {
    /** @param packages verified, on the disk */
    record Index(URI mirror, EngineLock.Pin packages) {}

    private static final int LARGEST_RELEASE = 8 << 20;

    private final MirrorHttp http;
    private final FileTransfer transfer;
    private final AptConfiguration apt;

    SignedIndex(MirrorHttp http, FileTransfer transfer, AptConfiguration apt) {
        this.http = http;
        this.transfer = transfer;
        this.apt = apt;
    }

    /**
     * Of the first mirror that has the suite. One whose index is not to be trusted ends it: going on to the next would
     * hide it.
     *
     * @param gone why the pinned version is not installed, for messages
     */
    Index fetch(EngineLock lock, Mirrors mirrors, ArchiveKeyring keyring, String gone) throws IOException {
        var reasons = new ArrayList<String>();
        boolean answered = true;
        for (URI mirror : mirrors.uris()) {
            FileTransfer.requireNotCancelled();
            try {
                return fetch(lock, mirror, keyring);
            } catch (MirrorFault fault) {
                answered &= fault.kind() != MirrorFault.Kind.BROKEN;
                reasons.add(MirrorHttp.shown(mirror) + " " + fault.getMessage());
            } catch (UntrustedIndexException fault) {
                throw new Hal0Exception(
                                ErrorCode.ENGINE_INSTALL_FAILED,
                                "The pinned packages of " + lock.engine() + " " + lock.version() + " are gone. " + gone
                                        + " The current ones were not taken, because "
                                        + MirrorHttp.address(URI.create(MirrorHttp.shown(mirror)), release(lock))
                                        + " " + fault.getMessage()
                                        + ". Set [engines].mirror to another mirror, or have llama-server on PATH.")
                        .withParam("engines.mirror");
            }
        }
        String said = gone + " The current versions of " + lock.suite() + " cannot be taken instead. For "
                + release(lock) + ": " + String.join("; ", reasons) + ".";
        if (answered) {
            throw mirrors.unsuitable(lock, said);
        }
        throw new Hal0Exception(ErrorCode.ENGINE_INSTALL_FAILED, said);
    }

    private Index fetch(EngineLock lock, URI mirror, ArchiveKeyring keyring)
            throws IOException, UntrustedIndexException {
        ClearSignedText text = ClearSignedText.parse(http.read(mirror, release(lock), LARGEST_RELEASE));
        Instant now = Instant.now();
        keyring.requireSigned(text, now);
        ReleaseFile release = ReleaseFile.parse(text.lines());
        if (!release.describes(lock.suite())) {
            throw new UntrustedIndexException("is for " + release.codename() + ", not " + lock.suite());
        }
        Optional<Instant> until = release.validUntil();
        if (apt.checksValidUntil() && until.filter(now::isAfter).isPresent()) {
            throw new UntrustedIndexException("expired at " + until.get()
                    + ", and apt's Acquire::Check-Valid-Until is on: the mirror no longer follows Debian, or this"
                    + " machine's clock is wrong");
        }
        return new Index(mirror, packages(lock, mirror, release));
    }

    private EngineLock.Pin packages(EngineLock lock, URI mirror, ReleaseFile release)
            throws IOException, UntrustedIndexException {
        String name = "main/binary-" + lock.architecture() + "/Packages.xz";
        ReleaseFile.Hash hash = release.files().get(name);
        if (hash == null) {
            throw new UntrustedIndexException("lists no " + name);
        }
        String plain = "dists/" + lock.suite() + "/" + name;
        var paths = new ArrayList<String>();
        if (release.filesAreNamedByHash()) {
            // The plain name may hold the next version already while InRelease is still of this one.
            paths.add(plain.replaceFirst("Packages\\.xz$", "by-hash/SHA256/" + hash.sha256()));
        }
        paths.add(plain);
        for (String path : paths) {
            var pin = new EngineLock.Pin("Packages.xz", "", path, hash.size(), hash.sha256());
            try {
                transfer.fetch(pin, mirror);
                return pin;
            } catch (MirrorFault fault) {
                if (path.equals(plain) || fault.kind() == MirrorFault.Kind.BROKEN) {
                    throw new MirrorFault(fault.kind(), fault.getMessage() + " for " + path);
                }
            }
        }
        throw new AssertionError("the plain path ends the loop");
    }

    private static String release(EngineLock lock) {
        return "dists/" + lock.suite() + "/InRelease";
    }
}
