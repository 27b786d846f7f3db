package dev.hal0.slots;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hal0.slots.LaunchDrift.Difference;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class LaunchDriftTest {
    private static LaunchPlan plan(int port, Map<String, String> environment, String... arguments) {
        return new LaunchPlan(
                Samples.SLOT,
                "fake",
                "fake-server",
                List.of(arguments),
                environment,
                List.of(),
                Path.of("/nowhere/key"),
                "small",
                "127.0.0.1",
                port,
                1,
                Map.of(),
                Collections.nCopies(arguments.length, "server.extra_args"));
    }

    @Test
    void samePlan_differsInNothing() {
        var plan = plan(8081, Map.of("A", "1"), "--ctx-size", "4096", "--jinja");
        assertThat(LaunchDrift.between(plan, plan)).isEqualTo(new LaunchDrift(true, List.of(), null, null));
    }

    @Test
    void changedAddedAndRemovedFlags_areNamedWithBothValues() {
        var running = plan(8081, Map.of(), "--ctx-size", "4096", "--jinja", "--temp", "-1");
        var configured = plan(8082, Map.of(), "--ctx-size", "8192", "--temp", "-1", "--top-k", "40");

        var drift = LaunchDrift.between(running, configured);

        assertThat(drift.action()).isEqualTo("restart");
        assertThat(drift.differences())
                .containsExactly(
                        new Difference("port", "8081", "8082", null),
                        new Difference("--ctx-size", "4096", "8192", "server.extra_args"),
                        new Difference("--jinja", "", null, null),
                        new Difference("--top-k", null, "40", "server.extra_args"));
    }

    /** A person may keep a token in a slot's environment: the report is read over the network. */
    @Test
    void changedEnvironment_isNamedWithoutItsValue() {
        var drift = LaunchDrift.between(plan(8081, Map.of("TOKEN", "one")), plan(8081, Map.of("TOKEN", "two")));
        assertThat(drift.differences()).containsExactly(new Difference("env TOKEN", "…", "…", "env"));
    }

    @Test
    void repeatedFlag_isComparedWithAllItsValues() {
        var drift = LaunchDrift.between(
                plan(8081, Map.of(), "--lora", "a", "--lora", "b"), plan(8081, Map.of(), "--lora", "a"));
        assertThat(drift.differences()).containsExactly(new Difference("--lora", "a b", "a", "server.extra_args"));
    }
}
