package dev.hal0.slots;

import java.util.List;

/**
 * One flag of an engine's command line.
 *
 * @param values in their order; empty for a switch
 * @param source where it comes from: {@code hal0} for what hal0 needs to reach and protect the engine or knows to be right
 *     for it, {@code model} for the registry's entry, else the key of the slot's file, such as {@code model.context_size}
 */
public record LaunchArgument(String flag, List<String> values, String source) {
    public LaunchArgument {
        values = List.copyOf(values);
    }
}
