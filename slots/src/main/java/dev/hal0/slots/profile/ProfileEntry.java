package dev.hal0.slots.profile;

import dev.hal0.kernel.Hal0Exception;
import java.util.Optional;

/**
 * A profile and where it comes from.
 *
 * @param seed whether this version of hal0 ships it
 * @param edited whether {@code profiles.toml} says something about it
 * @param problem why what the file says is not in force
 */
public record ProfileEntry(Profile profile, boolean seed, boolean edited, Optional<Hal0Exception> problem) {
    public String name() {
        return profile.name();
    }
}
