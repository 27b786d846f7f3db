package dev.hal0.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MainTest extends CliFixture {
    @Test
    void helpAndVersion_areOnStandardOutput() {
        assertThat(execute("--help").out())
                .contains("Usage: hal0", "slot", "chat", "engine")
                .doesNotContain("train");
        assertThat(execute().out()).isEqualTo(execute("--help").out());
        assertThat(execute("slot").out()).contains("Usage: hal0 slot");
        assertThat(execute("slot", "load", "--help").out()).contains("--no-wait", "--json", "--api-url");
        assertThat(execute("--version").out()).startsWith("hal0 ");
        assertThat(execute("--version").exit()).isZero();
        assertThat(execute("version").out()).isEqualTo(execute("-V").out());
        assertThat(execute("version", "--json").json().path("name").asString()).isEqualTo("hal0");
    }

    @ParameterizedTest
    @ValueSource(strings = {"bash", "zsh"})
    void completionScript_isValidBash(String shell, @TempDir Path folder) throws Exception {
        Result result = execute("completion", shell);
        Path script = Files.writeString(folder.resolve("hal0.bash"), result.out());

        Process bash = new ProcessBuilder("bash", "-n", script.toString())
                .redirectErrorStream(true)
                .start();

        assertThat(new String(bash.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                .isEmpty();
        assertThat(bash.waitFor()).isZero();
        assertThat(result.out()).contains("slot", "engine", "--no-wait").doesNotContain("train");
    }

    @Test
    void training_runsThroughEveryLayer() throws Exception {
        assertThat(execute("train")).isEqualTo(new Result(0, "", ""));
    }

    @Test
    void argumentsOfAnAsciiLocale_areReadFromTheKernel() {
        byte[] commandLine = "java\0-cp\0x\0Main\0chat\0\0größe €\0".getBytes(StandardCharsets.UTF_8);

        assertThat(Arguments.last(new String[] {"chat", "", "gr??e ?"}, commandLine))
                .containsExactly("chat", "", "größe €");
        assertThat(Arguments.last(new String[] {"a"}, new byte[0])).containsExactly("a");
    }
}
