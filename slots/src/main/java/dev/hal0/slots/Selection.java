package dev.hal0.slots;

import java.util.Optional;

/**
 * What a person chose for a capability.
 *
 * @param provider a label; selects nothing
 * @param enabled never true without a model
 */
public record Selection(Device device, Optional<String> provider, Optional<String> model, boolean enabled) {
    public Selection {
        enabled = enabled && model.isPresent();
    }
}
