package dev.hal0.runtime.install;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Optional;
import org.bouncycastle.openpgp.PGPSignatureException;
import org.bouncycastle.openpgp.api.OpenPGPCertificate;
import org.bouncycastle.openpgp.api.OpenPGPSignature.OpenPGPDocumentSignature;
import org.bouncycastle.openpgp.api.bc.BcOpenPGPApi;

/**
 * The keys that Debian's index must be signed with. The library's policy refuses weak hashes and keys, signatures of keys
 * that may not sign, and those of revoked ones; a key that has expired by now does not count either, as for apt.
 */
final class ArchiveKeyring {
    /** Debian renamed it. */
    static final List<Path> OF_MACHINE = List.of(
            Path.of("/usr/share/keyrings/debian-archive-keyring.pgp"),
            Path.of("/usr/share/keyrings/debian-archive-keyring.gpg"));

    private final Path file;
    private final List<OpenPGPCertificate> keys;

    private ArchiveKeyring(Path file, List<OpenPGPCertificate> keys) {
        this.file = file;
        this.keys = keys;
    }

    /** The first one that is there; empty when none is. */
    static Optional<ArchiveKeyring> first(List<Path> candidates) throws IOException {
        for (Path file : candidates) {
            if (Files.isRegularFile(file)) {
                return Optional.of(read(file));
            }
        }
        return Optional.empty();
    }

    private static ArchiveKeyring read(Path file) throws IOException {
        try (var in = Files.newInputStream(file)) {
            var keys = new BcOpenPGPApi().readKeyOrCertificate().parseCertificates(in);
            if (keys.isEmpty()) {
                throw new IOException("it holds no key");
            }
            return new ArchiveKeyring(file, keys);
        } catch (RuntimeException malformed) {
            throw new IOException("it is no OpenPGP keyring: " + malformed.getMessage(), malformed);
        }
    }

    /** One valid signature is enough: while Debian changes its keys, it signs with the old and the new one. */
    void requireSigned(ClearSignedText text, Instant now) throws UntrustedIndexException {
        var reasons = new ArrayList<String>();
        for (OpenPGPDocumentSignature signature : signatures(text, reasons)) {
            try {
                if (valid(signature, Date.from(now))) {
                    return;
                }
                reasons.add("that of " + signature.getKeyIdentifier()
                        + (signature.getCreationTime().after(Date.from(now))
                                ? " is from the future: is this machine's clock right?"
                                : " is not valid"));
            } catch (PGPSignatureException refused) {
                reasons.add("that of " + signature.getKeyIdentifier() + " is not valid: " + refused.getMessage());
            }
        }
        throw new UntrustedIndexException("has no valid signature by a key of " + file
                + (reasons.isEmpty() ? "" : " (" + String.join("; ", reasons) + ")"));
    }

    private List<OpenPGPDocumentSignature> signatures(ClearSignedText text, List<String> reasons)
            throws UntrustedIndexException {
        var check = new BcOpenPGPApi().verifyDetachedSignature();
        keys.forEach(check::addVerificationCertificate);
        check.setExceptionCallback(refused -> reasons.add(String.valueOf(refused.getMessage())));
        try {
            check.addSignatures(new ByteArrayInputStream(text.signature().getBytes(StandardCharsets.US_ASCII)));
            return check.process(new ByteArrayInputStream(text.signed()));
        } catch (IOException | RuntimeException malformed) {
            throw new UntrustedIndexException("has a signature that cannot be read: " + malformed.getMessage());
        }
    }

    private static boolean valid(OpenPGPDocumentSignature signature, Date now) throws PGPSignatureException {
        return signature.isTestedCorrect()
                && signature.isValid()
                && signature.isEffectiveAt(now)
                && signature.getIssuer().isSigningKey(now)
                && signature.getIssuer().isBoundAt(now)
                && signature.getIssuerCertificate().getPrimaryKey().isBoundAt(now);
    }
}
