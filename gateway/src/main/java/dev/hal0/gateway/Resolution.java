package dev.hal0.gateway;

import dev.hal0.slots.Route;

/**
 * The slot that serves a request, and why it is this one.
 *
 * @param by what the name was
 */
record Resolution(Route route, By by) {
    enum By {
        /** A slot's name. */
        SLOT("slot"),
        /** Exactly the id of the model it has. */
        MODEL("model"),
        /** A name below {@code hal0/}. */
        VIRTUAL("virtual"),
        /** There was no name. */
        DEFAULT("default"),
        /** Nobody knows the name, and the settings say that such requests go to the default slot. */
        UNKNOWN_TO_DEFAULT("unknown-to-default");

        private final String label;

        By(String label) {
            this.label = label;
        }

        String label() {
            return label;
        }
    }
}
