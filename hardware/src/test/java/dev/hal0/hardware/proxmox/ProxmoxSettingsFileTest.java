package dev.hal0.hardware.proxmox;

import static dev.hal0.hardware.proxmox.Samples.OTHER_FINGERPRINT;
import static dev.hal0.hardware.proxmox.Samples.TOKEN;
import static dev.hal0.hardware.proxmox.Samples.TOKEN_NAME;
import static dev.hal0.hardware.proxmox.Samples.USER;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.hal0.kernel.DurableFiles;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.HomeDirectory;
import dev.hal0.kernel.Json;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ProxmoxSettingsFileTest {
    @TempDir
    private Path folder;

    private Path path;
    private ProxmoxSettingsFile file;

    @BeforeEach
    void open() {
        HomeDirectory home = HomeDirectory.under(folder);
        path = home.config().resolve("proxmox.json");
        file = new ProxmoxSettingsFile(home, new DurableFiles());
    }

    @Test
    void firstSave_isPrivateNestedAndReadBack() throws IOException {
        ProxmoxSettings saved = file.update(Samples.update("pve.lan", 8006, TOKEN));

        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
                .isEqualTo("rw-------");
        assertThat(file.load()).contains(saved);
        assertThat(Json.STRICT.readValue(Files.readString(path), Object.class))
                .isEqualTo(Map.of(
                        "proxmox",
                        Map.of("host", "pve.lan", "port", 8006, "verify_ssl", false, "service", "PVE"),
                        "auth",
                        Map.of("user", USER, "token_name", TOKEN_NAME, "token_value", TOKEN)));
    }

    @Test
    void fileReadableByOthers_isClosedBySaving() throws IOException {
        file.update(Samples.update("pve.lan", 8006, TOKEN));
        Files.setPosixFilePermissions(path, DurableFiles.SHARED);

        file.update(Samples.update("pve.lan", 8006, null));

        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
                .isEqualTo("rw-------");
    }

    @Test
    void absentToken_keepsTheStoredOneForTheSameTarget() {
        file.update(Samples.update("pve.lan", 8006, TOKEN));

        ProxmoxSettings saved =
                file.update(new ProxmoxUpdate("PVE.lan", null, USER, TOKEN_NAME, " ", true, OTHER_FINGERPRINT));

        assertThat(saved.tokenValue()).isEqualTo(TOKEN);
        assertThat(saved.verifyTls()).isTrue();
        assertThat(saved.tlsFingerprint()).isEqualTo(OTHER_FINGERPRINT);
    }

    @ParameterizedTest
    @CsvSource({
        "evil.lan, 8006, hal0@pve, reader, host",
        "pve.lan.evil, 8006, hal0@pve, reader, host",
        "pve.lan, 8007, hal0@pve, reader, port",
        "pve.lan, 8006, root@pam, reader, user",
        "pve.lan, 8006, hal0@pve, other, token_name"
    })
    void absentTokenForAChangedTarget_isRefusedAndNothingIsStored(
            String host, int port, String user, String tokenName, String changed) {
        ProxmoxSettings stored = file.update(Samples.update("pve.lan", 8006, TOKEN));
        var update = new ProxmoxUpdate(host, port, user, tokenName, null, null, null);

        Hal0Exception refused = failure(() -> file.update(update));

        assertThat(refused.code()).isEqualTo(ErrorCode.PROXMOX_CONFIG_INVALID);
        assertThat(refused.param()).contains("token_value");
        assertThat(refused.message()).endsWith("changed: " + changed);
        assertThat(file.load()).contains(stored);
        assertThat(failure(() -> file.candidate(update)).param()).contains("token_value");
    }

    @Test
    void absentTokenAtFirst_isRequired() {
        assertThat(failure(() -> file.update(Samples.update("pve.lan", 8006, null)))
                        .details())
                .containsEntry("fields", Map.of("token_value", "is required"));
        assertThat(path).doesNotExist();
    }

    @Test
    void pinOfTheSameAddress_isKeptUnlessCleared() {
        file.update(new ProxmoxUpdate("pve", 8006, USER, TOKEN_NAME, TOKEN, false, OTHER_FINGERPRINT));

        assertThat(file.update(Samples.update("pve", 8006, null)).tlsFingerprint())
                .isEqualTo(OTHER_FINGERPRINT);
        assertThat(file.candidate(Samples.update("pve2", 8006, TOKEN)).tlsFingerprint())
                .isNull();
        assertThat(file.candidate(new ProxmoxUpdate("pve", 8006, USER, TOKEN_NAME, null, null, ""))
                        .tlsFingerprint())
                .isNull();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "null",
                "[]",
                "{\"auth\":",
                "{\"auth\":{\"token_value\":" + TOKEN + "}}",
                "{\"auth\":{\"token_value\":[\"" + TOKEN + "\"]}}",
                "{\"auth\":{\"" + TOKEN + "\":1}}",
                "{\"auth\":{},\"auth\":{}}",
                "{\"proxmox\":{\"host\":\"pve\",\"port\":\"" + TOKEN + "\"}}",
                "{\"proxmox\":{\"host\":\"pve\"},\"auth\":{\"user\":\"" + TOKEN + "\",\"token_value\":\"" + TOKEN
                        + "\"}}"
            })
    void brokenFile_isAClearErrorAndStaysAsItIs(String text) throws IOException {
        Files.createDirectories(path.getParent());
        Files.writeString(path, text);

        for (Hal0Exception failure : java.util.List.of(
                failure(() -> file.load()), failure(() -> file.update(Samples.update("pve", 8006, TOKEN))))) {
            assertThat(failure.code()).isEqualTo(ErrorCode.CONFIG_INVALID);
            assertThat(failure.message()).contains(path.toString());
            assertThat(everythingSaidBy(failure)).doesNotContain(TOKEN);
        }
        assertThat(Files.readString(path)).isEqualTo(text);
    }

    @Test
    void fieldAtFaultInTheFile_hasItsNestedPath() throws IOException {
        Files.createDirectories(path.getParent());
        Files.writeString(path, """
                {"proxmox":{"host":"pve","port":70000},
                 "auth":{"user":"hal0@pve","token_name":"reader","token_value":"%s"}}""".formatted(TOKEN));

        Hal0Exception failure = failure(() -> file.load());

        assertThat(failure.param()).contains("proxmox.port");
        assertThat(failure.message()).contains("proxmox.port must be between 1 and 65535");
    }

    @Test
    void brokenFile_canBeRemoved() throws IOException {
        Files.createDirectories(path.getParent());
        Files.writeString(path, "{");

        file.remove();

        assertThat(file.load()).isEmpty();
        file.update(Samples.update("pve", 8006, TOKEN));
        assertThat(file.load()).isPresent();
    }

    private static Hal0Exception failure(org.assertj.core.api.ThrowableAssert.ThrowingCallable work) {
        Hal0Exception failure = catchThrowableOfType(Hal0Exception.class, work);
        assertThat(failure).isNotNull();
        return failure;
    }

    /** Details and the whole chain of causes with their messages. */
    private static String everythingSaidBy(Hal0Exception failure) {
        var text = new StringWriter();
        failure.printStackTrace(new PrintWriter(text));
        return text + failure.details().toString() + failure.param();
    }
}
