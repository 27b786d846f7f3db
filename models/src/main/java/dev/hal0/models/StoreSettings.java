package dev.hal0.models;

import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.TomlDocument;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The table {@code [models]} of {@code hal0.toml}.
 *
 * @param store the one folder that pulls write to; absolute
 * @param pullRoot its older name, used only where {@code store} is absent; absolute
 * @param roots folders that a scan walks, absolute; empty for just the store
 */
public record StoreSettings(Optional<Path> store, Optional<Path> pullRoot, List<Path> roots) {
    /** The keys of the table, for callers that refuse unknown ones. */
    public static final Set<String> KEYS = Set.of("store", "pull_root", "roots");

    public static final StoreSettings DEFAULT = new StoreSettings(Optional.empty(), Optional.empty(), List.of());

    public StoreSettings {
        roots = List.copyOf(roots);
    }

    /** @throws Hal0Exception {@code config.invalid} at the key that holds no absolute path */
    public static StoreSettings of(TomlDocument settings) {
        return new StoreSettings(
                path(settings, "store"),
                path(settings, "pull_root"),
                settings.strings(List.of("models", "roots")).orElse(List.of()).stream()
                        .map(text -> absolute(settings, "roots", text))
                        .toList());
    }

    private static Optional<Path> path(TomlDocument settings, String key) {
        return settings.string(List.of("models", key))
                .filter(text -> !text.isBlank())
                .map(text -> absolute(settings, key, text));
    }

    private static Path absolute(TomlDocument settings, String key, String text) {
        try {
            Path path = Path.of(text);
            if (path.isAbsolute()) {
                return path.normalize();
            }
        } catch (InvalidPathException notEvenAPath) {
            throw settings.fault(List.of("models", key), String.valueOf(notEvenAPath.getMessage()));
        }
        throw settings.fault(List.of("models", key), "'" + text + "' is not an absolute path");
    }
}
