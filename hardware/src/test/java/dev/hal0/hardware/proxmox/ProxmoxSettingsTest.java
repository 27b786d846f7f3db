package dev.hal0.hardware.proxmox;

import static dev.hal0.hardware.proxmox.Samples.OTHER_FINGERPRINT;
import static dev.hal0.hardware.proxmox.Samples.TOKEN;
import static dev.hal0.hardware.proxmox.Samples.TOKEN_NAME;
import static dev.hal0.hardware.proxmox.Samples.USER;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.Json;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ProxmoxSettingsTest {
    @ParameterizedTest
    @CsvSource({
        "pve.lan, pve.lan",
        "' PVE.Lan ', pve.lan",
        "192.168.1.10, 192.168.1.10",
        "[fe80::1], fe80::1",
        "2001:DB8::10, 2001:db8::10",
        "pve-1, pve-1"
    })
    void usableHost_isNormalised(String given, String normal) {
        ProxmoxSettings settings = Samples.settings(given, 8006, false, null);

        assertThat(settings.host()).isEqualTo(normal);
        assertThat(settings.resources().getHost().replaceAll("[\\[\\]]", "")).isEqualTo(normal);
        assertThat(settings.resources().getPort()).isEqualTo(8006);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "https://pve",
                "pve:8006",
                "pve/path",
                "user@pve",
                "pve#x",
                "pve?x",
                "pve evil",
                "pve\r\nX: y",
                "-pve",
                "a..b",
                "1:2:3",
                "999.1.1.1",
                "pve_1",
                "[::1]evil",
                "::1%eth0"
            })
    void hostThatIsMoreThanAHost_isRefused(String host) {
        Hal0Exception refused = refused(() -> Samples.settings(host, 8006, false, null));

        assertThat(refused.code()).isEqualTo(ErrorCode.PROXMOX_CONFIG_INVALID);
        assertThat(refused.param()).contains("host");
    }

    @Test
    void everyFieldWrong_isToldByItsPath() {
        Hal0Exception refused = refused(() -> new ProxmoxSettings("", 0, false, "root", "root@pam!x", "a\nb", "12"));

        assertThat(refused.details().get("fields"))
                .asInstanceOf(org.assertj.core.api.InstanceOfAssertFactories.map(String.class, String.class))
                .containsOnlyKeys("host", "port", "user", "token_name", "token_value", "tls_fingerprint");
    }

    @Test
    void tokenInTheWrongField_isNotRepeated() {
        Hal0Exception refused = refused(() -> new ProxmoxSettings(
                TOKEN + "!", 8006, false, TOKEN, TOKEN + "=", "\u0001" + TOKEN + "\n\u0002", TOKEN));

        assertThat(refused.toString() + refused.details()).doesNotContain(TOKEN);
    }

    @Test
    void tokenWithLineBreak_isRefused() {
        String header = TOKEN + "\r\nX-Other: 1";

        assertThat(refused(() -> new ProxmoxSettings("pve", 8006, false, USER, TOKEN_NAME, header, null))
                        .param())
                .contains("token_value");
    }

    @Test
    void fingerprintInAnyCommonForm_isNormalised() {
        String bare = OTHER_FINGERPRINT.replace(":", "").toLowerCase(Locale.ROOT);

        assertThat(Samples.settings("pve", 8006, false, bare).tlsFingerprint()).isEqualTo(OTHER_FINGERPRINT);
        assertThat(Samples.settings("pve", 8006, false, " ").tlsFingerprint()).isNull();
    }

    @Test
    void toStringAndJson_neverShowTheToken() {
        ProxmoxSettings settings = Samples.settings("pve", 8006, false, null);
        ProxmoxUpdate update = Samples.update("pve", 8006, TOKEN);

        assertThat(settings.toString()).contains("***").doesNotContain(TOKEN);
        assertThat(update.toString()).contains("***").doesNotContain(TOKEN);
        assertThat(StoredProxmox.of(settings).toString()).doesNotContain(TOKEN);
        assertThat(Json.STRICT.writeValueAsString(settings)).doesNotContain(TOKEN);
        assertThat(Json.STRICT.writeValueAsString(update)).doesNotContain(TOKEN);
    }

    @Test
    void flatBody_bindsWithDefaults() {
        ProxmoxUpdate update = Json.STRICT.readValue(
                Json.STRICT.writeValueAsString(
                        Map.of("host", "pve", "user", USER, "token_name", TOKEN_NAME, "token_value", TOKEN)),
                ProxmoxUpdate.class);

        assertThat(update.mergedOnto(null)).isEqualTo(Samples.settings("pve", 8006, false, null));
        assertThat(Json.STRICT
                        .readValue("{\"verify_ssl\":true}", ProxmoxUpdate.class)
                        .verifyTls())
                .isTrue();
    }

    private static Hal0Exception refused(org.assertj.core.api.ThrowableAssert.ThrowingCallable work) {
        Hal0Exception failure = catchThrowableOfType(Hal0Exception.class, work);
        assertThat(failure).isNotNull();
        return failure;
    }
}
