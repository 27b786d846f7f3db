package dev.hal0.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RequestHeadTest {
    private static RequestHead parse(String json) {
        return RequestHead.parse(json.getBytes(StandardCharsets.UTF_8));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{}                                                        |      | false",
                "{\"model\":\"a\"}                                         | a    | false",
                "{\"model\":\" a/b:c \",\"stream\":true}                   | a/b:c| true",
                "{\"model\":null,\"stream\":null}                          |      | false",
                "{\"model\":\"  \"}                                        |      | false",
                "{\"x\":{\"model\":\"inner\",\"stream\":true},\"model\":\"outer\"} | outer | false",
                "{\"x\":[{\"model\":\"inner\"}]}                           |      | false",
                "{\"model\":\"first\",\"model\":\"last\"}                  | last | false",
            })
    void topLevelFieldsOnly_areRead(String json, String model, boolean stream) {
        assertThat(parse(json).model()).isEqualTo(Optional.ofNullable(model));
        assertThat(parse(json).stream()).isEqualTo(stream);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "``                    | REQUEST_INVALID_JSON",
                "{                     | REQUEST_INVALID_JSON",
                "{\"a\":}              | REQUEST_INVALID_JSON",
                "{\"a\":1,}            | REQUEST_INVALID_JSON",
                "{'a':1}               | REQUEST_INVALID_JSON",
                "{} {}                 | REQUEST_INVALID_JSON",
                "{}]                   | REQUEST_INVALID_JSON",
                "{\"a\":NaN}           | REQUEST_INVALID_JSON",
                "nonsense              | REQUEST_INVALID_JSON",
                "[]                    | REQUEST_NOT_AN_OBJECT",
                "\"text\"              | REQUEST_NOT_AN_OBJECT",
                "null                  | REQUEST_NOT_AN_OBJECT",
                "{\"model\":1}         | REQUEST_INVALID",
                "{\"model\":{}}        | REQUEST_INVALID",
                "{\"stream\":\"yes\"}  | REQUEST_INVALID",
                "{\"stream\":1}        | REQUEST_INVALID",
            })
    void whatIsNoRequest_isRefused(String json, ErrorCode code) {
        Hal0Exception refused = catchThrowableOfType(Hal0Exception.class, () -> parse(json));

        assertThat(refused.code()).isEqualTo(code);
    }

    @Test
    void veryLongValue_isSkippedNotRefused() {
        assertThat(parse("{\"image\":\"" + "A".repeat(30 << 20) + "\",\"model\":\"a\"}")
                        .model())
                .contains("a");
    }

    @Test
    void anyBytes_areReadOrRefusedAndNeverAnythingElse() {
        long seed = System.nanoTime();
        var random = new Random(seed);
        byte[] valid =
                "{\"model\":\"a\",\"stream\":true,\"x\":[1,{\"y\":\"\\u00e9\"}]}".getBytes(StandardCharsets.UTF_8);
        for (int round = 0; round < 20_000; round++) {
            byte[] mutated = valid.clone();
            for (int i = random.nextInt(4); i >= 0; i--) {
                mutated[random.nextInt(mutated.length)] = (byte) random.nextInt(256);
            }
            try {
                RequestHead.parse(mutated);
            } catch (Hal0Exception refused) {
                assertThat(refused.code().status()).as("seed %s", seed).isEqualTo(400);
            }
        }
    }
}
