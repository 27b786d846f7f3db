package dev.hal0.helper.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hal0.helper.ContainerPlan;
import java.nio.file.Path;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

class SlotUnitTest {
    private static final Plans PLANS = new Plans(Path.of("/m"));
    private static final MachineDevices.Found GPU =
            new MachineDevices.Found(List.of("/dev/dri/renderD128", "/dev/dri/card0"), List.of(105, 44));

    private static List<String> command(ContainerPlan plan) {
        return PodmanCommand.run(
                "/usr/bin/podman", plan, List.of(Path.of("/m/models")), GPU, "997:996", SlotPaths.SYSTEM);
    }

    private static String unit(ContainerPlan plan) {
        return SlotUnit.text(
                plan.slot(),
                plan.port(),
                command(plan),
                List.of(Path.of("/m/models")),
                "/usr/sbin/nft",
                SlotPaths.SYSTEM);
    }

    /** Rule 9 of the acceptance rules: hostile values reach the engine as they were typed. */
    @Property(tries = 3_000)
    void anyWords_reachTheProgramUnchanged(@ForAll("words") List<String> words, @ForAll("words") List<String> values) {
        var environment = new java.util.LinkedHashMap<String, String>();
        for (int i = 0; i < values.size(); i++) {
            environment.put("V" + i, values.get(i));
        }
        ContainerPlan plan = PLANS.with(words, environment);

        assertThat(SystemdReader.words(unit(plan), "ExecStart")).isEqualTo(command(plan));
        assertThat(command(plan)).endsWith(words.toArray(String[]::new));
    }

    @Provide
    Arbitrary<List<String>> words() {
        Arbitrary<String> nasty = Arbitraries.of(
                "%",
                "%%", "%n", "$", "$$", "${A}", "$A", "\\", "\\\\", "\\x41", "\"", "'", ";", "\\;", " ", "  ", "a b",
                "#", "=", "-", "--", "@", "!", ":", "+", "|", "&", "`id`", "$(id)", "é", "漢", "🙂", "\u00a0", "\u200b");
        Arbitrary<String> letters =
                Arbitraries.strings().withCharRange('!', '~').ofMaxLength(6);
        return Arbitraries.oneOf(nasty, letters)
                .list()
                .ofMaxSize(6)
                .map(parts -> String.join("", parts))
                .list()
                .ofMaxSize(6);
    }

    @Test
    void container_gainsNothingThatItDoesNotNeed() {
        assertThat(command(PLANS.good()))
                .contains(
                        "--pull=never",
                        "--read-only",
                        "--cap-drop=all",
                        "--security-opt=no-new-privileges",
                        "--user=997:996",
                        "--pids-limit=64",
                        "--memory=1073741824b",
                        "--network=hal0-slots",
                        "--publish=127.0.0.1:8081:8081/tcp",
                        "--volume=/m/models:/m/models:ro")
                .noneMatch(word -> word.contains("privileged") && !word.contains("no-new"))
                .noneMatch(word -> word.endsWith(":rw") || word.startsWith("--cap-add"));
    }

    /** P10: a folder of devices is not expanded, and a group's name means nothing inside the image. */
    @Test
    void devicesAndGroups_areNodesAndNumbers() {
        assertThat(command(PLANS.good()))
                .contains(
                        "--device=/dev/dri/renderD128", "--device=/dev/dri/card0", "--group-add=105", "--group-add=44");
    }

    /** P1: after a power cut podman remembers a container of this name. */
    @Test
    void staleContainer_isReplaced() {
        assertThat(command(PLANS.good())).contains("--replace", "--rm");
        assertThat(unit(PLANS.good()))
                .contains("ExecStopPost=-/usr/bin/podman rm --force --ignore --time=0 hal0-slot-chat");
    }

    /** P25: no log driver in between, so neither doubled lines nor none. */
    @Test
    void engine_writesStraightIntoTheJournal() {
        assertThat(command(PLANS.good())).contains("--log-driver=passthrough", "--detach");
        assertThat(unit(PLANS.good())).contains("SyslogIdentifier=hal0-slot-chat", "LogRateLimitIntervalSec=0");
    }

    /** P23: what an image says about its health is about a port of its own. */
    @Test
    void imagesOwnHealthCheck_isOff() {
        assertThat(command(PLANS.good())).contains("--no-healthcheck");
    }

    /** P28: boot starts nothing by itself, and what is started waits for its mounts. */
    @Test
    void unit_isNotStartedByBootAndNeedsItsMounts() {
        assertThat(unit(PLANS.good())).doesNotContain("[Install]").contains("RequiresMountsFor=/m/models\n");
    }

    @Test
    void launch_changesNothingInTheUnit() {
        assertThat(unit(PLANS.launchedAs("b".repeat(64)))).isEqualTo(unit(PLANS.good()));
    }

    @Test
    void restarts_areThreeQuickOnes() {
        assertThat(unit(PLANS.good()))
                .contains(
                        "Restart=on-failure\n", "RestartSec=5\n", "StartLimitBurst=3\n", "StartLimitIntervalSec=120\n");
    }

    @Test
    void port_isReadBack() {
        assertThat(SlotUnit.port(unit(PLANS.good()))).hasValue(8081);
        assertThat(SlotUnit.port("[Service]")).isEmpty();
    }
}
