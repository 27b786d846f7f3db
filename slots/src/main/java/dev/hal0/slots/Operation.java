package dev.hal0.slots;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonValue;
import dev.hal0.kernel.ErrorEnvelope;
import dev.hal0.kernel.SlotName;
import java.time.Instant;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A lifecycle request and what became of it. A request that fails before it starts is an operation too: it has an id, an end
 * and a reason.
 *
 * @param message what it is doing, or how it ended
 * @param endedAt null while running
 * @param error null unless it failed
 */
public record Operation(
        OperationId id,
        Kind kind,
        SlotName slot,
        Status status,
        String message,
        @JsonProperty("started_at") Instant startedAt,
        @JsonProperty("ended_at") @Nullable Instant endedAt,
        ErrorEnvelope.@Nullable Body error) {

    public enum Kind {
        LOAD,
        UNLOAD,
        RESTART,
        DELETE,
        IMAGE_MODE,
        INFERENCE_MODE;

        @JsonValue
        public String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    public enum Status {
        RUNNING,
        SUCCEEDED,
        FAILED,
        CANCELLED;

        @JsonValue
        public String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }
}
