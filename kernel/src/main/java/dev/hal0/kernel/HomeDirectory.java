package dev.hal0.kernel;

import java.nio.file.Path;
import java.util.Map;

/**
 * Where this installation keeps its files. The appliance uses the system's folders; {@code HAL0_HOME} re-roots all of
 * them; a checkout run by anyone uses the user's data folder so that trying hal0 touches nothing else.
 *
 * @param config what a person edits: {@code hal0.toml}, {@code slots/*.toml}
 * @param state what hal0 writes: registry, slot states, logs, engines
 * @param code versioned program trees of the installed appliance
 */
public record HomeDirectory(Path config, Path state, Path code) {

    /** {@code HAL0_HOME}, else {@code $XDG_DATA_HOME/hal0}, else {@code ~/.local/share/hal0}. */
    public static HomeDirectory of(Map<String, String> environment) {
        String explicit = environment.getOrDefault("HAL0_HOME", "");
        if (!explicit.isBlank()) {
            return under(Path.of(explicit));
        }
        String data = environment.getOrDefault("XDG_DATA_HOME", "");
        Path base = data.isBlank()
                ? Path.of(environment.getOrDefault("HOME", "/root")).resolve(".local/share")
                : Path.of(data);
        return under(base.resolve("hal0"));
    }

    /** All three folders below one root. */
    public static HomeDirectory under(Path root) {
        Path absolute = root.toAbsolutePath().normalize();
        return new HomeDirectory(
                absolute.resolve("etc/hal0"), absolute.resolve("var/lib/hal0"), absolute.resolve("usr-lib/hal0"));
    }

    public Path settingsFile() {
        return config.resolve("hal0.toml");
    }

    public Path slotDefinitions() {
        return config.resolve("slots");
    }

    /** Edits of the profiles that ship with hal0, and a person's own; absent on a fresh box. */
    public Path profiles() {
        return config.resolve("profiles.toml");
    }

    /** What was selected for each capability. */
    public Path capabilities() {
        return config.resolve("capabilities.toml");
    }

    /** Present only while several configuration files are being changed together. */
    public Path configIntent() {
        return state.resolve("config-intent.json");
    }

    /** One folder per slot: {@code state.json}, the running launch, its log. */
    public Path slotStates() {
        return state.resolve("slots");
    }

    public Path modelRegistry() {
        return state.resolve("registry/registry.toml");
    }

    /** Emptied at every start of the control plane; nobody else uses it. */
    public Path scratch() {
        return state.resolve("tmp");
    }

    /** What {@code [slots] runtime = "auto"} was found to mean here, once. */
    public Path runtimeDecision() {
        return state.resolve("runtime.json");
    }

    public Path journal() {
        return state.resolve("journal.db");
    }

    /** What the probe found; derived, and made anew when it is not of this boot. */
    public Path hardwareReport() {
        return config.resolve("hardware.json");
    }

    public Path engines() {
        return state.resolve("engines");
    }
}
