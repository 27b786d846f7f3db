package dev.hal0.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The order of the rooms in ARCHITECTURE.md: a module's build file is where a wrong dependency would have to appear. */
class ModuleBoundariesTest {
    private static final Pattern DEPENDENCY = Pattern.compile(
            "<dependency>\\s*<groupId>dev\\.hal0</groupId>\\s*<artifactId>hal0-(\\w+)</artifactId>(.*?)</dependency>",
            Pattern.DOTALL);

    private static final Map<String, Set<String>> MAY_USE = Map.ofEntries(
            Map.entry("kernel", Set.of()),
            Map.entry("testing", Set.of()),
            Map.entry("hardware", Set.of("kernel")),
            Map.entry("journal", Set.of("kernel")),
            Map.entry("models", Set.of("kernel", "hardware")),
            Map.entry("slots", Set.of("kernel", "hardware", "models")),
            Map.entry("helper", Set.of("kernel")),
            Map.entry("runtime", Set.of("kernel", "models", "slots", "helper")),
            Map.entry("gateway", Set.of("kernel", "models", "slots", "journal")),
            Map.entry("starter", Set.of("kernel")),
            Map.entry(
                    "server",
                    Set.of("kernel", "hardware", "journal", "models", "slots", "helper", "runtime", "gateway")),
            Map.entry("cli", Set.of("kernel")));

    private static Path root() {
        return Path.of("..");
    }

    @Test
    void everyModule_usesOnlyTheRoomsBelowIt() throws IOException {
        for (Map.Entry<String, Set<String>> module : MAY_USE.entrySet()) {
            var matcher = DEPENDENCY.matcher(
                    Files.readString(root().resolve(module.getKey()).resolve("pom.xml")));
            while (matcher.find()) {
                boolean onlyForTests = matcher.group(2).contains("<scope>test</scope>");
                if (matcher.group(1).equals("testing")) {
                    assertThat(onlyForTests)
                            .as(module.getKey() + " uses testing")
                            .isTrue();
                } else if (!onlyForTests) {
                    assertThat(module.getValue())
                            .as(module.getKey() + " depends on")
                            .contains(matcher.group(1));
                }
            }
        }
    }

    @Test
    void everyModuleOfTheBuild_isInTheOrder() throws IOException {
        List<String> built = Pattern.compile("<module>(\\w+)</module>")
                .matcher(Files.readString(root().resolve("pom.xml")))
                .results()
                .map(found -> found.group(1))
                .toList();
        assertThat(MAY_USE.keySet()).containsExactlyInAnyOrderElementsOf(built);
    }
}
