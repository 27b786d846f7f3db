package dev.hal0.slots;

import dev.hal0.kernel.SlotName;
import java.util.List;

/**
 * What a load would start, word for word, and where each flag comes from.
 *
 * @param argv the program and its arguments
 * @param arguments the same arguments, flag by flag
 */
public record ResolvedLaunch(SlotName name, List<String> argv, List<LaunchArgument> arguments) {}
