package dev.hal0.models;

import java.util.Optional;

/**
 * How to register a file.
 *
 * @param id empty to derive it from the file's name
 * @param name empty to take it from the file's header, else from its name
 * @param overwrite true to replace the entry with that id, and to register a file a second time under another id
 */
public record AddOptions(Optional<String> id, Optional<String> name, boolean overwrite) {
    public static final AddOptions DEFAULT = new AddOptions(Optional.empty(), Optional.empty(), false);

    public AddOptions withId(String chosen) {
        return new AddOptions(Optional.of(chosen), name, overwrite);
    }

    public AddOptions withName(String chosen) {
        return new AddOptions(id, Optional.of(chosen), overwrite);
    }

    public AddOptions overwriting() {
        return new AddOptions(id, name, true);
    }
}
