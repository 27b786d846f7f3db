package dev.hal0.kernel;

import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.cfg.DateTimeFeature;
import tools.jackson.databind.json.JsonMapper;

/** The house's JSON dialect: snake_case, ISO-8601 instants, duplicate and unknown keys refused. Thread-safe. */
public final class Json {
    /** For documents that hal0 owns: unknown properties and duplicate keys are errors. */
    public static final JsonMapper STRICT = JsonMapper.builder(JsonFactory.builder()
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .build())
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .disable(DateTimeFeature.WRITE_DATES_AS_TIMESTAMPS)
            .disable(DateTimeFeature.WRITE_DURATIONS_AS_TIMESTAMPS)
            .build();

    /** For documents that others own (an engine's {@code /props}): unknown properties are skipped. */
    public static final JsonMapper LENIENT = STRICT.rebuild()
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .build();

    /** {@link #STRICT}, indented, for people and for files that people open. */
    public static final JsonMapper PRETTY =
            STRICT.rebuild().enable(SerializationFeature.INDENT_OUTPUT).build();

    private Json() {}
}
