package dev.hal0.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RequestHeadPropertyTest {
    @Test
    void modelAndStream_areReadWhereverTheyStand() {
        RequestHead head =
                parse("{\"messages\":[{\"model\":\"no\",\"stream\":1}],\"stream\":true,\"model\":\" chat \"}");

        assertThat(head.model()).contains("chat");
        assertThat(head.stream()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"{}", "{\"model\":null,\"stream\":null}", "{\"model\":\"  \"}", " \n{ } "})
    void absentFields_haveDefaults(String body) {
        assertThat(parse(body)).isEqualTo(new RequestHead(Optional.empty(), false));
    }

    @Test
    void fieldGivenTwice_lastOneCounts() {
        assertThat(parse("{\"model\":\"a\",\"stream\":true,\"model\":\"b\",\"stream\":false}"))
                .isEqualTo(new RequestHead(Optional.of("b"), false));
        assertThat(parse("{\"model\":\"a\",\"stream\":true,\"model\":null,\"stream\":null}"))
                .isEqualTo(new RequestHead(Optional.empty(), false));
    }

    @ParameterizedTest
    @ValueSource(strings = {"1", "true", "{}", "[]", "1e400"})
    void modelThatIsNoString_isNamed(String value) {
        refused("{\"model\":" + value + "}", ErrorCode.REQUEST_INVALID, "model");
    }

    @ParameterizedTest
    @ValueSource(strings = {"1", "\"true\"", "{}", "[]"})
    void streamThatIsNoFlag_isNamed(String value) {
        refused("{\"stream\":" + value + "}", ErrorCode.REQUEST_INVALID, "stream");
    }

    @ParameterizedTest
    @ValueSource(strings = {"[]", "1", "\"x\"", "null", "[{\"model\":\"a\"}]"})
    void otherJson_isNoObject(String body) {
        refused(body, ErrorCode.REQUEST_NOT_AN_OBJECT, null);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "{",
                "{\"a\"}",
                "{\"a\":}",
                "{a:1}",
                "{'a':1}",
                "{\"a\":1,}",
                "{}{}",
                "{} x",
                "nope",
                "{\"a\":NaN}",
                "{\"a\":01}",
                "{\"a\":\"\\x\"}",
                "{\"a\":\"\n\"}",
                "{\"a\":[}",
                "{\"a\":\"unended",
            })
    void malformedBody_isRefused(String body) {
        refused(body, ErrorCode.REQUEST_INVALID_JSON, null);
    }

    @Test
    void malformedBody_isRefusedWithItsPosition() {
        assertThatThrownBy(() -> parse("{\"a\":1,\n  oops}")).hasMessageContaining("line 2");
    }

    @Test
    void invalidUtf8_isRefused() {
        byte[] body = {'{', '"', 'a', '"', ':', '"', (byte) 0xC3, 0x28, '"', '}'};

        assertThatThrownBy(() -> RequestHead.parse(body))
                .isInstanceOfSatisfying(
                        Hal0Exception.class,
                        refused -> assertThat(refused.code()).isEqualTo(ErrorCode.REQUEST_INVALID_JSON));
    }

    @Test
    void deepNesting_isReadOrRefusedNeverOverflows() {
        assertThat(parse(nested(400)).model()).contains("m");
        refused(nested(200_000), ErrorCode.REQUEST_INVALID, null);
    }

    @Test
    void hugeNumbers_areNotComputed() {
        assertThat(parse("{\"seed\":" + "9".repeat(900) + ",\"top_p\":1e999999999,\"model\":\"m\"}")
                        .model())
                .contains("m");
    }

    @Test
    void largeString_isPassedOver() {
        assertThat(parse("{\"image\":\"" + "A".repeat(30 << 20) + "\",\"model\":\"m\"}")
                        .model())
                .contains("m");
    }

    private static String nested(int depth) {
        return "{\"x\":" + "[".repeat(depth) + "]".repeat(depth) + ",\"model\":\"m\"}";
    }

    private static void refused(String body, ErrorCode code, @org.jspecify.annotations.Nullable String param) {
        assertThatThrownBy(() -> parse(body)).isInstanceOfSatisfying(Hal0Exception.class, refused -> {
            assertThat(refused.code()).isEqualTo(code);
            assertThat(refused.param()).isEqualTo(Optional.ofNullable(param));
        });
    }

    private static RequestHead parse(String body) {
        return RequestHead.parse(body.getBytes(StandardCharsets.UTF_8));
    }
}
