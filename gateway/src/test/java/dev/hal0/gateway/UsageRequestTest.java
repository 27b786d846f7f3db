package dev.hal0.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hal0.kernel.Json;
import dev.hal0.slots.FormRules;
import io.vertx.core.buffer.Buffer;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The one change that a body is passed on with, and everything that it must not touch. */
class UsageRequestTest {
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            {"stream":true}                                             | {"stream_options":{"include_usage":true},"stream":true}
            { "a" : 1.50,  "stream":true }                              | {"stream_options":{"include_usage":true}, "a" : 1.50,  "stream":true }
            {"stream":true,"stream_options":{}}                         | {"stream":true,"stream_options":{"include_usage":true}}
            {"stream":true,"stream_options": { "x":[1] } }              | {"stream":true,"stream_options": {"include_usage":true, "x":[1] } }
            {"stream":true,"stream_options":{"include_usage":false}}    | {"stream":true,"stream_options":{"include_usage":true}}
            {"stream_options":{"include_usage":null,"y":2},"stream":true} | {"stream_options":{"include_usage":true,"y":2},"stream":true}
            {"stream_options":null,"stream":true}                       | {"stream_options":{"include_usage":true},"stream":true}
            {"ü":"{\\"stream_options\\":1}","stream":true}              | {"stream_options":{"include_usage":true},"ü":"{\\"stream_options\\":1}","stream":true}
            """)
    void body_isAskedForUsageAndOtherwiseTheSame(String body, String expected) {
        assertThat(asking(body.strip())).contains(expected.strip());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"stream\":false}",
                "{}",
                "{\"stream\":true,\"stream_options\":{\"include_usage\":true}}",
                "{\"stream\":true,\"stream_options\":7}",
                "{\"stream\":true,\"stream_options\":[{}]}",
                "{\"stream\":true,\"stream_options\":{\"include_usage\":\"yes\"}}",
            })
    void bodyThatAsksAlreadyOrIsWrong_isNotChanged(String body) {
        assertThat(asking(body)).isEmpty();
    }

    @Test
    void leadingSpace_isKept() {
        assertThat(asking(" \n{\"stream\":true}"))
                .contains(" \n{\"stream_options\":{\"include_usage\":true},\"stream\":true}");
    }

    @Test
    void bodyWithAByteOrderMark_staysJson() {
        asking("\uFEFF{\"stream\":true}").ifPresent(changed -> {
            assertThat(changed).startsWith("\uFEFF{");
            assertThat(Json.LENIENT
                            .readTree(changed.substring(1))
                            .path("stream")
                            .asBoolean())
                    .isTrue();
        });
    }

    @Test
    void bodyInAnotherEncoding_isNotChanged() {
        byte[] wide = "{\"stream\":true}".getBytes(StandardCharsets.UTF_16);

        assertThat(RequestHead.parse(wide).usageRequest()).isEmpty();
    }

    @Test
    void bodyReadFromAStream_hasTheSameOffsets() {
        String body = "{\"messages\":\"" + "ä".repeat(50_000) + "\",\"stream\":true,\"stream_options\":{ }}";
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);

        assertThat(RequestHead.parse(new ByteArrayInputStream(bytes)).usageRequest())
                .isEqualTo(RequestHead.parse(bytes).usageRequest());
    }

    private static Optional<String> asking(String body) {
        Buffer bytes = Buffer.buffer(body);
        var json = new RequestBody.Json(RequestHead.parse(bytes.getBytes()), new StoredBody.InMemory(bytes));
        assertThat(json.forEngine(FormRules.NONE, Optional.empty()).length()).isEqualTo(bytes.length());
        return json.askingForUsage().map(engine -> {
            var whole = Buffer.buffer();
            engine.pieces().forEach(piece -> whole.appendBuffer(((BodyPiece.Bytes) piece).bytes()));
            assertThat(engine.length()).isEqualTo(whole.length());
            return whole.toString();
        });
    }
}
