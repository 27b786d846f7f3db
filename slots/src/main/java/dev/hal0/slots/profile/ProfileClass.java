package dev.hal0.slots.profile;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;

/** The kind of hardware that a profile is made for. */
public enum ProfileClass {
    GPU,
    CPU,
    NPU,
    /** A GPU that makes images. */
    IMG,
    /** Nothing in it depends on the hardware. */
    ANY;

    @JsonValue
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
