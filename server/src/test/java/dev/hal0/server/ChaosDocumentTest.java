package dev.hal0.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hal0.testing.Invariant;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** {@code docs/chaos.md} is the tier in words. After a change: run this with {@code -Dhal0.write-docs=true}. */
class ChaosDocumentTest {
    @Test
    void document_isTheTier() throws IOException {
        Path file = Path.of("..", "docs", "chaos.md");
        var text = new StringBuilder("""
                # Chaos

                `./test chaos` breaks a box on purpose and then holds its journal against what must hold in every history.
                Generated from `ChaosScenario` and `Invariant`; edit those.

                | What is done | What must be seen |
                |---|---|
                """);
        for (ChaosScenario scenario : ChaosScenario.values()) {
            text.append("| ")
                    .append(scenario.done())
                    .append(" | ")
                    .append(scenario.expected())
                    .append(" |\n");
        }
        text.append("""

                ## What must hold

                One checker (`InvariantChecker`) reads facts and knows nothing of the code that made them. It is fed by the random
                runs of the scheduler, by the journal after each scenario, and by any journal of a finished run:
                `JournalFacts journal.db`, a main class of the server's tests, prints what is broken and exits with 1.

                """);
        for (Invariant invariant : Invariant.values()) {
            text.append("- ").append(invariant.sentence()).append('\n');
        }
        if (Boolean.getBoolean("hal0.write-docs")) {
            Files.writeString(file, text);
        }
        assertThat(file).content().isEqualTo(text.toString());
    }

    /** A scenario that is described and not run would be a promise without a proof. */
    @Test
    void everyScenario_hasItsTest() {
        assertThat(Arrays.stream(ChaosTest.class.getDeclaredMethods())
                        .filter(method -> method.isAnnotationPresent(Test.class))
                        .map(Method::getName)
                        .map(name -> name.substring(0, name.indexOf('_'))))
                .containsExactlyInAnyOrder(Arrays.stream(ChaosScenario.values())
                        .map(ChaosDocumentTest::camelCase)
                        .toArray(String[]::new));
    }

    private static String camelCase(ChaosScenario scenario) {
        var name = new StringBuilder();
        for (String word : scenario.name().split("_", -1)) {
            String lower = word.toLowerCase(java.util.Locale.ROOT);
            name.append(name.isEmpty() ? lower : Character.toUpperCase(lower.charAt(0)) + lower.substring(1));
        }
        return name.toString();
    }
}
