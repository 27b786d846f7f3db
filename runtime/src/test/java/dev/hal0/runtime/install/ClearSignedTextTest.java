package dev.hal0.runtime.install;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.bouncycastle.openpgp.api.OpenPGPKey;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClearSignedTextTest {
    private static final OpenPGPKey KEY = SignedArchive.newKey();
    private static final List<String> LINES = List.of("Codename: forky", "- dash", "", "-----BEGIN", "ü");

    @TempDir
    Path folder;

    @Test
    void signedText_isReadAndVerifies() throws Exception {
        ClearSignedText text = ClearSignedText.parse(signed().getBytes(UTF_8));

        assertThat(text.lines()).isEqualTo(LINES);
        keyring(KEY).requireSigned(text, Instant.now());
    }

    @Test
    void whiteSpaceAtLineEnds_isNeitherSignedNorUsed() throws Exception {
        ClearSignedText text =
                ClearSignedText.parse(signed().replace("forky\n", "forky \t\n").getBytes(UTF_8));

        assertThat(text.lines()).isEqualTo(LINES);
        keyring(KEY).requireSigned(text, Instant.now());
    }

    @Test
    void anythingBesideTheFrame_isRefused() {
        Map<String, UnaryOperator<String>> changes = Map.of(
                "does not begin", text -> "Codename: evil\n" + text,
                "goes on", text -> text + "Codename: evil\n",
                "header", text -> text.replace("Hash: SHA512\n", "Hash: SHA512\nCodename: evil\n"),
                "control", text -> text.replace("forky\n", "forky\r\n"),
                "control characters", text -> text.replace("forky", "forky\0"),
                "unescaped", text -> text.replace("- ----", "----"),
                "whole signature", text -> text.substring(0, text.length() / 2));

        changes.forEach((said, change) -> assertThatThrownBy(
                        () -> ClearSignedText.parse(change.apply(signed()).getBytes(UTF_8)))
                .as(said)
                .isInstanceOf(UntrustedIndexException.class)
                .hasMessageContaining(said));
        assertThatThrownBy(() -> ClearSignedText.parse(new byte[] {(byte) 0xff}))
                .isInstanceOf(UntrustedIndexException.class);
        assertThatThrownBy(() -> ClearSignedText.parse(new byte[0])).isInstanceOf(UntrustedIndexException.class);
    }

    @Test
    void garbageAsSignature_isRefused() throws Exception {
        String garbage = signed().replaceFirst("(?s)(-----BEGIN PGP SIGNATURE-----\n).*(\n-----END)", "$1\nAAAA$2");

        ClearSignedText text = ClearSignedText.parse(garbage.getBytes(UTF_8));

        assertThatThrownBy(() -> keyring(KEY).requireSigned(text, Instant.now()))
                .isInstanceOf(UntrustedIndexException.class);
    }

    @Test
    void noSignatureAtAll_isRefused() throws Exception {
        String none = signed().replaceFirst("(?s)(-----BEGIN PGP SIGNATURE-----\n).*(-----END)", "$1\n$2");

        ClearSignedText text = ClearSignedText.parse(none.getBytes(UTF_8));

        assertThatThrownBy(() -> keyring(KEY).requireSigned(text, Instant.now()))
                .isInstanceOf(UntrustedIndexException.class);
    }

    @Test
    void signatureFromTheFuture_isRefused() throws Exception {
        ClearSignedText text = ClearSignedText.parse(signed().getBytes(UTF_8));
        ArchiveKeyring keyring = keyring(KEY);

        assertThatThrownBy(() -> keyring.requireSigned(text, Instant.now().minusSeconds(86_400)))
                .isInstanceOf(UntrustedIndexException.class);
    }

    @Test
    void subkeyOfExpiredKey_isRefused() throws Exception {
        OpenPGPKey shortLived = SignedArchive.newKey(3600);
        ClearSignedText text =
                ClearSignedText.parse(SignedArchive.signed(shortLived, LINES).getBytes(UTF_8));
        ArchiveKeyring keyring = keyring(shortLived);

        keyring.requireSigned(text, Instant.now());
        assertThatThrownBy(() -> keyring.requireSigned(text, Instant.now().plusSeconds(7200)))
                .isInstanceOf(UntrustedIndexException.class);
    }

    private ArchiveKeyring keyring(OpenPGPKey key) throws IOException {
        Path file = folder.resolve("keyring");
        SignedArchive.writeKeyring(file, key);
        return ArchiveKeyring.first(List.of(file)).orElseThrow();
    }

    private static String signed() {
        return SignedArchive.signed(KEY, LINES);
    }
}
