package dev.hal0.helper.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hal0.helper.Difference;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** P6: a drift check that ignores image and devices lets an edited slot run with old ones for ever. */
class RunningCommandTest {
    private static final List<String> COMMAND = List.of(
            "/usr/bin/podman",
            "run",
            "--name=hal0-slot-chat",
            "--network=hal0-slots",
            "--publish=127.0.0.1:8081:8081/tcp",
            "--device=/dev/dri/renderD128",
            "--group-add=105",
            "--label=hal0.config-hash=1",
            "--env=TOKEN=secret",
            "--entrypoint=llama-server",
            "localhost/hal0-toolbox:cpu",
            "--port",
            "8081");

    @Test
    void sameCommand_differsInNothing() {
        assertThat(new RunningCommand(COMMAND).comparedTo(new RunningCommand(COMMAND)))
                .isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "3, --network=podman, ADDRESS",
        "4, --publish=0.0.0.0:8081:8081/tcp, ADDRESS",
        "4, --publish=127.0.0.1:8082:8081/tcp, PORT",
        "5, --device=/dev/dri/renderD129, DEVICES",
        "6, --group-add=106, GROUPS",
        "8, --env=TOKEN=other, ENVIRONMENT",
        "9, --entrypoint=sh, ARGUMENTS",
        "10, localhost/hal0-toolbox:vulkan, IMAGE",
        "12, 8082, ARGUMENTS"
    })
    void otherWord_isADifferenceOfItsKind(int place, String word, Difference.Kind kind) {
        var running = new ArrayList<>(COMMAND);
        running.set(place, word);

        assertThat(new RunningCommand(running).comparedTo(new RunningCommand(COMMAND)))
                .singleElement()
                .satisfies(difference -> assertThat(difference.kind()).isEqualTo(kind));
    }

    @Test
    void environment_isNamedWithoutItsValues() {
        var running = new ArrayList<>(COMMAND);
        running.set(8, "--env=OTHER=hidden");

        assertThat(new RunningCommand(running).comparedTo(new RunningCommand(COMMAND)))
                .containsExactly(new Difference(Difference.Kind.ENVIRONMENT, "TOKEN", "OTHER"));
    }
}
