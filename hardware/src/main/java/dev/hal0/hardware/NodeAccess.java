package dev.hal0.hardware;

import com.fasterxml.jackson.annotation.JsonValue;

/** What opening a device node for reading and writing gave; its mere existence proves nothing. */
public enum NodeAccess {
    USABLE("usable"),
    /** The node is there, but file permissions or the container's device rules refuse it. */
    DENIED("denied"),
    ABSENT("absent"),
    /** The node is there and opening it failed for another reason, such as a driver without its device. */
    FAILED("failed");

    private final String word;

    NodeAccess(String word) {
        this.word = word;
    }

    @JsonValue
    public String word() {
        return word;
    }
}
