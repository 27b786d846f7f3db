package dev.hal0.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import tools.jackson.core.JacksonException;

class JsonTest {
    private record Sample(String modelId, int contextSize) {}

    private record Times(Instant startedAt, Duration took) {}

    @Test
    void snakeCase_isTheDialect() {
        assertThat(Json.STRICT.readValue("{\"model_id\":\"a\",\"context_size\":4096}", Sample.class))
                .isEqualTo(new Sample("a", 4096));
        assertThat(Json.STRICT.writeValueAsString(new Sample("a", 1)))
                .isEqualTo("{\"model_id\":\"a\",\"context_size\":1}");
    }

    @Test
    void unknownProperty_isRefusedByStrictOnly() {
        String body = "{\"model_id\":\"a\",\"context_size\":1,\"extra\":true}";

        assertThatThrownBy(() -> Json.STRICT.readValue(body, Sample.class))
                .isInstanceOf(JacksonException.class)
                .hasMessageContaining("extra");
        assertThat(Json.LENIENT.readValue(body, Sample.class)).isEqualTo(new Sample("a", 1));
    }

    /** Two readers of one body must not see two different values: the second could be the one that was checked. */
    @Test
    void duplicateKey_isRefused() {
        String body = "{\"model_id\":\"a\",\"model_id\":\"b\",\"context_size\":1}";

        assertThatThrownBy(() -> Json.STRICT.readValue(body, Sample.class)).hasMessageContaining("model_id");
        assertThatThrownBy(() -> Json.STRICT.readTree(body)).hasMessageContaining("model_id");
    }

    @Test
    void textBehindTheDocument_isRefused() {
        assertThatThrownBy(() -> Json.STRICT.readTree("{} {}")).isInstanceOf(JacksonException.class);
    }

    @Test
    void times_areIsoStrings() {
        var times = new Times(Instant.parse("2026-11-22T10:00:00Z"), Duration.ofMillis(1500));

        assertThat(Json.STRICT.writeValueAsString(times))
                .isEqualTo("{\"started_at\":\"2026-11-22T10:00:00Z\",\"took\":\"PT1.5S\"}");
    }
}
