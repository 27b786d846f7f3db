package dev.hal0.runtime.install;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.commons.compress.compressors.xz.XZCompressorOutputStream;
import org.bouncycastle.bcpg.PublicKeyPacket;
import org.bouncycastle.bcpg.sig.KeyFlags;
import org.bouncycastle.openpgp.PGPException;
import org.bouncycastle.openpgp.api.OpenPGPKey;
import org.bouncycastle.openpgp.api.SignatureParameters;
import org.bouncycastle.openpgp.api.bc.BcOpenPGPApi;
import org.bouncycastle.openpgp.operator.PGPKeyPairGenerator;

/** A suite as Debian publishes it, signed with a key that nobody keeps. */
final class SignedArchive {
    private static final String INDEX = "main/binary-" + EngineLock.machineArchitecture() + "/Packages.xz";
    private static final OpenPGPKey KEY = newKey();

    private final List<String> stanzas = new ArrayList<>();
    private final Map<String, byte[]> pool = new LinkedHashMap<>();
    private final Map<String, String> fields = new LinkedHashMap<>(Map.of(
            "Suite",
            "testing",
            "Codename",
            "forky",
            "Valid-Until",
            date(Instant.now().plusSeconds(86_400))));
    private OpenPGPKey key = KEY;

    static OpenPGPKey newKey() {
        try {
            return new BcOpenPGPApi()
                    .generateKey(PublicKeyPacket.VERSION_4)
                    .classicKey("archive")
                    .build();
        } catch (PGPException impossible) {
            throw new AssertionError(impossible);
        }
    }

    /** As Debian's: the key itself expires, and signs with a subkey that does not. */
    static OpenPGPKey newKey(long secondsToLive) {
        try {
            return new BcOpenPGPApi()
                    .generateKey(PublicKeyPacket.VERSION_4)
                    .withPrimaryKey(
                            PGPKeyPairGenerator::generateEd25519KeyPair,
                            SignatureParameters.Callback.Util.modifyHashedSubpackets(subpackets -> {
                                subpackets.setKeyFlags(KeyFlags.CERTIFY_OTHER);
                                subpackets.setKeyExpirationTime(secondsToLive);
                                return subpackets;
                            }))
                    .addSigningSubkey()
                    .build();
        } catch (PGPException impossible) {
            throw new AssertionError(impossible);
        }
    }

    static void writeKeyring(Path file) {
        writeKeyring(file, KEY);
    }

    static void writeKeyring(Path file, OpenPGPKey key) {
        try {
            Files.write(file, key.toCertificate().getEncoded());
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    static String date(Instant instant) {
        return DateTimeFormatter.RFC_1123_DATE_TIME
                .format(instant.atOffset(ZoneOffset.UTC))
                .replace("GMT", "UTC");
    }

    SignedArchive signedBy(OpenPGPKey other) {
        key = other;
        return this;
    }

    SignedArchive field(String name, String value) {
        fields.put(name, value);
        return this;
    }

    SignedArchive with(String name, String version, byte[] deb, String... lines) {
        String path = "pool/main/" + name + "_" + version.replaceFirst(".*:", "") + ".deb";
        pool.put(path, deb);
        stanzas.add("Package: " + name + "\nVersion: " + version + "\nDescription: Package: x\n more: text\n"
                + String.join("\n", lines) + (lines.length > 0 ? "\n" : "") + "Filename: " + path + "\nSize: "
                + deb.length + "\nSHA256: " + FakePackages.sha256(deb) + "\n");
        return this;
    }

    void publish(FakeMirror mirror) {
        pool.forEach(mirror::put);
        byte[] index = compressed(String.join("\n", stanzas));
        mirror.put("dists/forky/" + INDEX, index);
        if ("yes".equals(fields.get("Acquire-By-Hash"))) {
            mirror.put(
                    "dists/forky/" + INDEX.replace("Packages.xz", "by-hash/SHA256/" + FakePackages.sha256(index)),
                    index);
        }
        var lines = new ArrayList<String>();
        fields.forEach((name, value) -> lines.add(name + ": " + value));
        lines.addAll(List.of(
                "MD5Sum:",
                " d41d8cd98f00b204e9800998ecf8427e " + index.length + " " + INDEX,
                "SHA256:",
                " " + FakePackages.sha256(index) + " " + index.length + " " + INDEX));
        mirror.put("dists/forky/InRelease", signed(key, lines).getBytes(UTF_8));
    }

    static String indexPath() {
        return "dists/forky/" + INDEX;
    }

    static String signed(OpenPGPKey key, List<String> lines) {
        try {
            var signature = new BcOpenPGPApi()
                    .createDetachedSignature()
                    .addSigningKey(key)
                    .sign(new ByteArrayInputStream(String.join("\r\n", lines).getBytes(UTF_8)))
                    .getFirst();
            return "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n"
                    + String.join(
                            "\n",
                            lines.stream()
                                    .map(line -> line.startsWith("-") ? "- " + line : line)
                                    .toList())
                    + "\n" + signature.toAsciiArmoredString().replace("\r", "").strip() + "\n";
        } catch (IOException | PGPException failure) {
            throw new AssertionError(failure);
        }
    }

    static byte[] compressed(String text) {
        var bytes = new ByteArrayOutputStream();
        try (var xz = new XZCompressorOutputStream(bytes)) {
            xz.write(text.getBytes(UTF_8));
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
        return bytes.toByteArray();
    }
}
