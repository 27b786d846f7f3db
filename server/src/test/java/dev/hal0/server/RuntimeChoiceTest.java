package dev.hal0.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.hal0.kernel.DurableFiles;
import dev.hal0.kernel.Hal0Exception;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RuntimeChoiceTest {
    @TempDir
    Path home;

    private RuntimeChoice.Wish decide(RuntimeChoice.Wish wish) {
        return new RuntimeChoice(
                        home.resolve("runtime.json"),
                        home.resolve("helper.sock"),
                        new DurableFiles(),
                        InstantSource.system())
                .decide(wish);
    }

    @Test
    void machineWithoutHelper_runsProcesses() {
        assertThat(decide(RuntimeChoice.Wish.AUTO)).isEqualTo(RuntimeChoice.Wish.PROCESS);
    }

    @Test
    void machineWithHelper_runsContainers() throws IOException {
        Files.createFile(home.resolve("helper.sock"));

        assertThat(decide(RuntimeChoice.Wish.AUTO)).isEqualTo(RuntimeChoice.Wish.PODMAN);
    }

    /** Decided once: a helper that is away later is an error to show, not another decision. */
    @Test
    void decision_outlivesWhatItWasMadeFrom() throws IOException {
        Files.createFile(home.resolve("helper.sock"));
        decide(RuntimeChoice.Wish.AUTO);
        Files.delete(home.resolve("helper.sock"));

        assertThat(decide(RuntimeChoice.Wish.AUTO)).isEqualTo(RuntimeChoice.Wish.PODMAN);
    }

    @Test
    void explicitWish_wins() {
        assertThat(decide(RuntimeChoice.Wish.PODMAN)).isEqualTo(RuntimeChoice.Wish.PODMAN);
        assertThat(home.resolve("runtime.json")).doesNotExist();
    }

    @Test
    void unreadableDecision_isNotGuessed() throws IOException {
        Files.writeString(home.resolve("runtime.json"), "{\"runtime\":\"dock");

        assertThatThrownBy(() -> decide(RuntimeChoice.Wish.AUTO))
                .isInstanceOf(Hal0Exception.class)
                .hasMessageContaining("runtime.json");
    }
}
