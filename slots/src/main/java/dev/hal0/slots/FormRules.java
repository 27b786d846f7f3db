package dev.hal0.slots;

import java.util.Map;
import java.util.Set;

/**
 * What an engine needs of a form ({@code multipart/form-data}) that a client sent: everything else of it passes as it came.
 *
 * @param set fields that get this value, whatever the client sent
 * @param dropped fields that the engine must not see
 * @param oneOf for each of these fields, the only values that the engine really knows
 */
public record FormRules(Map<String, String> set, Set<String> dropped, Map<String, Set<String>> oneOf) {
    public static final FormRules NONE = new FormRules(Map.of(), Set.of(), Map.of());

    public FormRules {
        set = Map.copyOf(set);
        dropped = Set.copyOf(dropped);
        oneOf = Map.copyOf(oneOf);
    }
}
