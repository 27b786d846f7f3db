package dev.hal0.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RedactionTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"api_key\":\"SECRET\"}",
                "{\"Authorization\" : \"SECRET\"}",
                "{\"x-api-key\":\"SECRET\\\"SECRET\"}",
                "{\"db_password\":\"SECRET\"}",
                "{\"client_secret\":\"SECRET",
                "{\"refresh_token\":\"SECRET\"}",
                "use Bearer SECRETSECRET now",
                "curl -H 'Authorization: Basic SECRETSECRET='",
                "my key is sk-SECRET0SECRET0SECRET",
                "hf_SECRETSECRETSECRET",
                "ghp_SECRETSECRETSECRET0123",
                "-----BEGIN RSA PRIVATE KEY-----\nSECRET\n-----END RSA PRIVATE KEY-----",
                "-----BEGIN PRIVATE KEY-----\\nSECRET"
            })
    void whatLooksLikeASecret_isGone(String text) {
        assertThat(Redaction.of(text)).contains("[redacted]").doesNotContain("SECRET");
    }

    @Test
    void tokenOfThreeParts_isGone() {
        assertThat(Redaction.of("t=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl!"))
                .isEqualTo("t=[redacted]!");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"max_tokens\":5,\"tokens\":\"x\"}",
                "the bearer of bad news",
                "a task-oriented risk-assessment-of-everything",
                "{\"usage\":{\"prompt_tokens\":3}}"
            })
    void ordinaryWords_stay(String text) {
        assertThat(Redaction.of(text)).isEqualTo(text);
    }

    @Test
    void picture_isItsLength() {
        assertThat(Redaction.of("{\"url\":\"data:image/png;base64," + "iVBORw0KGgo".repeat(100) + "\"}"))
                .isEqualTo("{\"url\":\"data:image/png;base64,[1100 characters]\"}");
    }

    /** Nothing that a client sends may keep a thread busy: every pattern is linear. */
    @ParameterizedTest
    @ValueSource(strings = {"\"token", "Bearer ", "eyJaaaaaaaa.", "-----BEGIN ", "\"api_key\":\"\\", "sk-"})
    void repeatedBeginnings_endAtAll(String beginning) {
        assertThat(Redaction.of(beginning.repeat(Captures.MOST_BODY_BYTES / beginning.length())))
                .isNotNull();
    }
}
