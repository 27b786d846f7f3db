package dev.hal0.slots;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.UUID;

/** Names one lifecycle operation; results that carry another id than the slot's current one change nothing. */
public record OperationId(@JsonValue String value) {
    @JsonCreator
    public OperationId {}

    static OperationId random() {
        return new OperationId("op-" + UUID.randomUUID().toString().substring(0, 18));
    }

    @Override
    public String toString() {
        return value;
    }
}
