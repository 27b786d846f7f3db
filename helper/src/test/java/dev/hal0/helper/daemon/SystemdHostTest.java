package dev.hal0.helper.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.hal0.helper.ContainerPlan;
import dev.hal0.helper.ContainerStatus;
import dev.hal0.helper.Difference;
import dev.hal0.kernel.DeviceClass;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SystemdHostTest {
    @TempDir
    Path folder;

    private Plans plans;
    private TestingTools system;
    private SlotPaths paths;
    private ContainerPlan plan;

    @BeforeEach
    void machine() throws IOException {
        Path root = folder.toRealPath();
        plans = new Plans(root);
        Files.createDirectory(root.resolve("models"));
        Files.createDirectory(root.resolve("units"));
        Files.createDirectory(root.resolve("dev"));
        system = TestingTools.in(Files.createDirectory(root.resolve("bin")));
        paths = new SlotPaths(root.resolve("units"), root.resolve("run"));
        plan = plans.onPort(freePort());
    }

    private SystemdHost host() throws IOException {
        return host(Duration.ofSeconds(15));
    }

    private SystemdHost host(Duration question) throws IOException {
        int owner = (Integer) Files.getAttribute(plans.root(), "unix:uid");
        return new SystemdHost(
                plans.policy(),
                new TrustedPath(owner),
                system.tools(question),
                paths,
                new MachineDevices(plans.root().resolve("dev"), false));
    }

    /** One that policy allows and nobody uses. */
    private static int freePort() throws IOException {
        for (int port = 8199; port > 8100; port--) {
            try (var socket = new ServerSocket(port, 1, InetAddress.getByName("127.0.0.1"))) {
                return socket.getLocalPort();
            } catch (IOException taken) {
                continue;
            }
        }
        throw new IOException("every port is taken");
    }

    private static void fails(ErrorCode code, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        Hal0Exception.class, told -> assertThat(told.code()).isEqualTo(code));
    }

    @Test
    void launch_writesTheUnitTellsSystemdAndStartsIt() throws IOException {
        assertThat(host().launch(plan, "secret")).isEqualTo("1".repeat(32));

        assertThat(paths.unitFile(Plans.SLOT)).content().contains("ExecStart=").doesNotContain("secret");
        assertThat(system.calls().stream().filter(call -> call.startsWith("systemctl")))
                .containsExactly(
                        "systemctl daemon-reload",
                        "systemctl reset-failed -- hal0-slot@chat.service",
                        "systemctl start -- hal0-slot@chat.service");
    }

    @Test
    void key_isReadableByItsUserOnly() throws IOException {
        host().launch(plan, "secret");

        assertThat(paths.key(Plans.SLOT)).hasContent("secret");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(paths.key(Plans.SLOT))))
                .isEqualTo("rw-------");
    }

    @Test
    void sameConfigAgain_needsNoReload() throws IOException {
        host().launch(plan, "one");
        system.state("LoadState=loaded\nActiveState=inactive\nSubState=dead\nInvocationID=\n");
        host().launch(plan, "two");

        assertThat(system.calls().stream().filter(call -> call.contains("daemon-reload")))
                .hasSize(1);
    }

    /** P27: a mask is said to be one, and is not written through. */
    @Test
    void maskedUnit_isRefusedAndStaysMasked() throws IOException {
        Files.createSymbolicLink(paths.unitFile(Plans.SLOT), Path.of("/dev/null"));

        fails(ErrorCode.SLOT_UNIT_MASKED, () -> host().launch(plan, "k"));

        assertThat(paths.unitFile(Plans.SLOT)).isSymbolicLink();
        assertThat(system.calls()).noneMatch(call -> call.contains("start"));
    }

    @Test
    void unitMaskedForThisBootOnly_isRefusedToo() throws IOException {
        system.state("LoadState=masked\nActiveState=inactive\nSubState=dead\nInvocationID=\n");

        fails(ErrorCode.SLOT_UNIT_MASKED, () -> host().launch(plan, "k"));
    }

    @Test
    void missingImage_isAnErrorBeforeAnythingIsWritten() throws IOException {
        Files.delete(system.folder().resolve("image"));

        fails(ErrorCode.SLOT_IMAGE_MISSING, () -> host().launch(plan, "k"));

        assertThat(paths.unitFile(Plans.SLOT)).doesNotExist();
    }

    /** P1 once more: where not even --replace helps, it has a name of its own, and nothing goes on trying. */
    @Test
    void staleContainer_isNamed() throws IOException {
        system.startFails("exit-code", 125, "Error: the container name \"hal0-slot-chat\" is already in use by 12ab");

        fails(ErrorCode.SLOT_CONTAINER_STALE, () -> host().launch(plan, "k"));

        assertThat(system.calls()).last().asString().contains("systemctl stop");
    }

    @Test
    void podmanThatDoesNotStartInTime_isStuck() throws IOException {
        system.startFails("timeout", 0, "");

        fails(ErrorCode.RUNTIME_STUCK, () -> host().launch(plan, "k"));
    }

    @Test
    void anyOtherFailure_keepsTheLastLines() throws IOException {
        system.startFails("exit-code", 126, "Error: something new");

        assertThatThrownBy(() -> host().launch(plan, "k")).isInstanceOfSatisfying(Hal0Exception.class, told -> {
            assertThat(told.code()).isEqualTo(ErrorCode.SLOT_SPAWN_FAILED);
            assertThat(told.details()).containsEntry("last_lines", List.of("Error: something new"));
        });
    }

    /** podman hangs: the answer comes all the same, with what podman had said. */
    @Test
    void frozenPodman_isATypedErrorWithItsOutput() throws IOException {
        system.write("podman-frozen", "");
        SystemdHost impatient = host(Duration.ofMillis(300));

        assertThatThrownBy(() -> impatient.image(Plans.IMAGE)).isInstanceOfSatisfying(Hal0Exception.class, told -> {
            assertThat(told.code()).isEqualTo(ErrorCode.RUNTIME_STUCK);
            assertThat(told.details().get("stdout")).asString().contains("half an answer");
        });
    }

    @Test
    void foreignListener_isAPortConflict() throws IOException {
        try (var stranger = new ServerSocket(plan.port(), 1, InetAddress.getByName("127.0.0.1"))) {
            assertThat(stranger.isBound()).isTrue();

            fails(ErrorCode.SLOT_PORT_CONFLICT, () -> host().launch(plan, "k"));
        }
    }

    @Test
    void portOfAnotherSlot_isAPortConflict() throws IOException {
        Files.writeString(paths.units().resolve("hal0-slot@other.service"), "# Port: " + plan.port() + "\n[Service]\n");

        fails(ErrorCode.SLOT_PORT_CONFLICT, () -> host().launch(plan, "k"));
    }

    @Test
    void deviceThatIsNotThere_isNamed() throws IOException {
        fails(ErrorCode.SLOT_DEVICE_MISSING, () -> host().launch(plans.with(DeviceClass.DRI, false, 64, null), "k"));
    }

    @Test
    void leftoverOfAnEarlierLaunch_isEndedFirst() throws IOException {
        system.state(TestingTools.live("9".repeat(32)));

        host().launch(plan, "k");

        List<String> systemctl = system.calls().stream()
                .filter(call -> call.startsWith("systemctl"))
                .toList();
        assertThat(systemctl.getFirst()).contains("stop");
        assertThat(systemctl.getLast()).contains("start");
    }

    @Test
    void stop_endsOnlyTheLifeThatIsMeant() throws IOException {
        system.state(TestingTools.live("9".repeat(32)));

        host().stop(Plans.SLOT, "8".repeat(32), Duration.ofSeconds(1));

        assertThat(system.calls()).isEmpty();
    }

    @Test
    void stop_givesTheGraceThatWasAskedFor() throws IOException {
        system.state(TestingTools.live("9".repeat(32)));

        host().stop(Plans.SLOT, "9".repeat(32), Duration.ofSeconds(7));

        assertThat(paths.stopSettings(Plans.SLOT)).hasContent("HAL0_STOP_GRACE=7");
        assertThat(system.calls()).containsExactly("systemctl stop --no-block -- hal0-slot@chat.service");
    }

    @Test
    void engineThatIgnoresTheStop_isKilled() throws IOException {
        system.state(TestingTools.live("9".repeat(32)));
        system.write("stubborn", "");

        host().stop(Plans.SLOT, "9".repeat(32), Duration.ZERO);

        assertThat(system.calls()).last().asString().contains("kill --signal=SIGKILL");
    }

    @Test
    void waitingRestart_isTakenBack() throws IOException {
        system.state("LoadState=loaded\nActiveState=activating\nSubState=auto-restart\nInvocationID=" + "9".repeat(32)
                + "\n");

        host().stop(Plans.SLOT, "9".repeat(32), Duration.ofSeconds(1));

        assertThat(system.calls()).containsExactly("systemctl stop --no-block -- hal0-slot@chat.service");
    }

    @Test
    void remove_leavesNothingOfTheSlot() throws IOException {
        host().launch(plan, "k");
        system.state("LoadState=loaded\nActiveState=inactive\nSubState=dead\nInvocationID=\n");

        host().remove(Plans.SLOT);

        assertThat(paths.unitFile(Plans.SLOT)).doesNotExist();
        assertThat(paths.key(Plans.SLOT)).doesNotExist();
    }

    @Test
    void removingWhatRuns_isRefused() throws IOException {
        system.state(TestingTools.live("9".repeat(32)));

        fails(ErrorCode.SLOT_ILLEGAL_TRANSITION, () -> host().remove(Plans.SLOT));
    }

    @Test
    void status_readsUnitAndContainer() throws IOException {
        system.state(TestingTools.live("9".repeat(32)));
        system.write("container", """
                [{"Id":"c","Image":"sha256:cafe","State":{"Running":true,"Pid":7,"CgroupPath":"/a/b"},
                  "Config":{"Labels":{"hal0.launch":"n"}},"New":{}}]""");

        var status = host().status(Plans.SLOT);

        assertThat(status.isLive()).isTrue();
        assertThat(status.container())
                .isEqualTo(
                        new ContainerStatus.Container("c", true, 7, "/a/b", "sha256:cafe", Map.of("hal0.launch", "n")));
    }

    /** P6: the tag moved to another image while the container runs the old one. */
    @Test
    void imageBehindTheSameTag_isADifference() throws IOException {
        String words = String.join("\",\"", host().preview(plan));
        system.write("container", "[{\"Image\":\"sha256:old\",\"Config\":{\"CreateCommand\":[\"" + words + "\"]}}]");

        assertThat(host().differences(plan))
                .containsExactly(new Difference(
                        Difference.Kind.IMAGE, "localhost/hal0-toolbox:cpu = sha256:cafe", "sha256:old"));
    }

    @Test
    void images_areThoseThatPlansMayUse() throws IOException {
        assertThat(host().images()).containsExactly("localhost/hal0-toolbox:cpu");
    }
}
