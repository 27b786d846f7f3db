package dev.hal0.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** {@code docs/pitfalls.md} promises tests; one that was renamed or thrown away would leave the promise standing. */
class PitfallsDocumentTest {
    private static final Path ROOT = Path.of("..");
    private static final Pattern PROMISE = Pattern.compile("`(\\w+Test)\\.(\\w+)`");

    @Test
    void everyTestThatIsNamed_isThere() throws IOException {
        Map<String, String> tests = testClasses();
        assertThat(PROMISE.matcher(Files.readString(ROOT.resolve("docs/pitfalls.md")))
                        .results()
                        .toList())
                .isNotEmpty()
                .allSatisfy(promise -> assertThat(tests.getOrDefault(promise.group(1), ""))
                        .as(promise.group())
                        .contains("void " + promise.group(2) + "("));
    }

    @Test
    void everyNumber_hasItsRow() throws IOException {
        assertThat(Pattern.compile("(?m)^\\| P(\\d+) \\|")
                        .matcher(Files.readString(ROOT.resolve("docs/pitfalls.md")))
                        .results()
                        .map(MatchResult::group)
                        .count())
                .isEqualTo(34);
    }

    private static Map<String, String> testClasses() throws IOException {
        var found = new HashMap<String, String>();
        try (var modules = Files.newDirectoryStream(ROOT, entry -> Files.isDirectory(entry.resolve("src/test/java")))) {
            for (Path module : modules) {
                try (var files = Files.walk(module.resolve("src/test/java"))) {
                    for (Path file : files.filter(path -> path.toString().endsWith("Test.java"))
                            .toList()) {
                        found.put(file.getFileName().toString().replace(".java", ""), Files.readString(file));
                    }
                }
            }
        }
        return found;
    }
}
