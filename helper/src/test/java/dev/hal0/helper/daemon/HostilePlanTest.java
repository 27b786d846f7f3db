package dev.hal0.helper.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.hal0.helper.ContainerPlan;
import dev.hal0.kernel.DeviceClass;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What an enemy in the control plane's place may send: each is refused with the field's name. */
class HostilePlanTest {
    private static final String KEY = "/var/lib/hal0/slots/chat/engine.key";

    @TempDir
    Path folder;

    private Plans plans;
    private PlanCheck check;

    @BeforeEach
    void models() throws IOException {
        Path root = folder.toRealPath();
        Files.createDirectory(root.resolve("models"));
        plans = new Plans(root);
        int owner = (Integer) Files.getAttribute(root, "unix:uid");
        check = new PlanCheck(plans.policy(), new TrustedPath(owner));
    }

    @Test
    void goodPlan_isAllowed() {
        assertThat(check.check(plans.good())).containsExactly(plans.root().resolve("models"));
    }

    /** Words may hold whatever a person types: it is escaped, not refused. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "100%",
                "$HOME ${HOME}",
                "a \"b\" 'c'",
                "\\",
                ";",
                "--privileged",
                "größe 漢字 🙂",
                "",
                "-v /:/host"
            })
    void oddWords_areAllowedWhereWordsAreFree(String word) {
        check.check(plans.with(List.of(word), Map.of("NAME", word)));
    }

    @ParameterizedTest
    @MethodSource("unspeakable")
    void controlCharacters_areRefusedEverywhere(String word) {
        refuses("arguments[1]", plans.with(List.of("fine", word), Map.of()));
        refuses("environment.NAME", plans.with(List.of(), Map.of("NAME", word)));
        refuses("model_id", plans.ofModel(word));
        refuses("files[0]", plans.reading(plans.root() + "/models/" + word, KEY));
    }

    static Stream<String> unspeakable() {
        return Stream.of(
                "a\nExecStartPre=/bin/sh",
                "a\rb",
                "a\0b",
                "a\tb",
                "\u001b[2J",
                "\u007f",
                "\u0085",
                "\u2028",
                "\u2029",
                "\ud800",
                "\udc00x",
                "\ufffe",
                "\ufdd0");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/etc/shadow",
                "/",
                "relative/tiny.gguf",
                "ROOT/models/../secret",
                "ROOT/models/./a",
                "ROOT/models//a",
                "ROOT/models",
                "ROOT/models-other/a",
                "ROOT/models/a/../../../etc/shadow",
                ""
            })
    void filesOutsideTheRoots_areRefused(String file) {
        refuses("files[0]", plans.reading(file.replace("ROOT", plans.root().toString()), KEY));
    }

    /** A root that is a link, or that somebody else could exchange between the check and the mount. */
    @Test
    void rootThatSomebodyCouldExchange_isRefused() throws IOException {
        Path real = Files.createDirectory(plans.root().resolve("real"));
        Files.delete(plans.root().resolve("models"));
        Files.createSymbolicLink(plans.root().resolve("models"), real);

        assertThatThrownBy(() -> check.check(plans.good())).hasMessageContaining("symbolic link");

        Files.delete(plans.root().resolve("models"));
        Files.createDirectory(plans.root().resolve("models"));
        Files.setPosixFilePermissions(
                plans.root(), java.nio.file.attribute.PosixFilePermissions.fromString("rwxrwxrwx"));

        assertThatThrownBy(() -> check.check(plans.good())).hasMessageContaining("writable by others");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "docker.io/evil/image:latest",
                "localhost/hal0-toolbox-evil:cpu",
                "localhost/hal0-toolbox:cpu --privileged",
                "--privileged",
                "-v/:/host",
                "localhost/hal0-toolbox:cpu\n",
                "localhost/hal0-toolbox:",
                "localhost/../hal0-toolbox:cpu",
                "ghcr.io/hal0/../evil:1",
                "LOCALHOST/HAL0-TOOLBOX:cpu",
                "localhost/hal0-toolbox@sha256:123",
                "dir:/etc",
                "docker-archive:/etc/shadow",
                ""
            })
    void imagesOutsideThePolicy_areRefused(String image) {
        refuses("image", plans.from(image, "llama-server"));
    }

    @Test
    void allowedImages_areByTagOrDigest() {
        check.check(plans.from("localhost/hal0-toolbox@sha256:" + "a".repeat(64), "llama-server"));
        check.check(plans.from("ghcr.io/hal0/engine:1.2", "llama-server"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"sh", "/bin/sh", "../llama-server", "llama-server\n", "[\"sh\"]", "", "-x"})
    void otherPrograms_areRefused(String program) {
        refuses("program", plans.from(Plans.IMAGE, program));
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 22, 80, 8080, 8201, 65536})
    void portsOutsideThePolicy_areRefused(int port) {
        refuses("port", plans.onPort(port));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/etc/passwd",
                "/var/lib/hal0/slots/other/engine.key",
                "/var/lib/hal0/slots/chat/../chat/engine.key",
                "",
                "x:/y"
            })
    void otherKeyPlaces_areRefused(String place) {
        refuses("key_file", plans.reading(plans.root() + "/models/a", place));
    }

    @Test
    void devicesLimitsAndNetworkOutsideThePolicy_areRefused() {
        refuses("devices", plans.with(DeviceClass.KFD, false, 64, null));
        refuses("outbound", plans.with(DeviceClass.NONE, true, 64, null));
        refuses("pids_limit", plans.with(DeviceClass.NONE, false, 0, null));
        refuses("pids_limit", plans.with(DeviceClass.NONE, false, Integer.MAX_VALUE, null));
        refuses("memory_limit_bytes", plans.with(DeviceClass.NONE, false, 64, -1L));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "short", "a b c d e f g h", "aaaaaaaa\nhal0.managed=0", "äääääääää"})
    void launchesThatAreNoWord_areRefused(String launch) {
        refuses("launch", plans.launchedAs(launch));
    }

    @Test
    void hashThatIsNone_isRefused() {
        refuses("plan_hash", plans.hashed("x".repeat(64)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "1A", "A B", "A=B", "A*", "Ä", "A-B", "--env"})
    void namesThatNoVariableHas_areRefused(String name) {
        refuses("environment", plans.with(List.of(), Map.of(name, "x")));
    }

    @Test
    void plansWithoutMeasure_areRefused() {
        refuses("arguments", plans.with(Collections.nCopies(5_000, "x"), Map.of()));
        refuses("arguments[0]", plans.with(List.of("x".repeat(1 << 20)), Map.of()));
        var large = new ArrayList<>(Collections.nCopies(1_000, "x".repeat(1_000)));
        refuses("arguments", plans.with(large, Map.of()));
    }

    private void refuses(String field, ContainerPlan plan) {
        assertThatThrownBy(() -> check.check(plan)).isInstanceOfSatisfying(Hal0Exception.class, refused -> {
            assertThat(refused.code()).isEqualTo(ErrorCode.RUNTIME_PLAN_REFUSED);
            assertThat(refused.param()).contains(field);
        });
    }
}
