package dev.hal0.runtime.install;

import dev.hal0.kernel.TomlDocument;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What belongs to an engine's packages; {@code refresh-lock} reads the same file.
 *
 * @param skipped dependencies that are left out
 */
record ClosureRules(String rootPackage, Set<String> skipped) {
    ClosureRules {
        skipped = Set.copyOf(skipped);
    }

    static Optional<ClosureRules> shipped(String engine) {
        String resource = engine + ".closure.toml";
        try (var stream = ClosureRules.class.getResourceAsStream(resource)) {
            if (stream == null) {
                return Optional.empty();
            }
            var document = TomlDocument.parse(resource, new String(stream.readAllBytes(), StandardCharsets.UTF_8));
            return Optional.of(new ClosureRules(
                    document.string(List.of("root_package"))
                            .orElseThrow(() -> document.fault(List.of("root_package"), "is missing")),
                    document.keys(List.of("skipped"))));
        } catch (IOException unreadable) {
            throw new UncheckedIOException("the shipped " + resource + " cannot be read", unreadable);
        }
    }
}
