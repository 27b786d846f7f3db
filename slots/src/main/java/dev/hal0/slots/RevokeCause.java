package dev.hal0.slots;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;

/** The only reasons for which a workload may be taken from a request that is inside. */
public enum RevokeCause {
    OPERATOR_FORCE,
    IMAGE_MODE_FORCED,
    ENGINE_LOST,
    ENGINE_HUNG;

    @JsonValue
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
