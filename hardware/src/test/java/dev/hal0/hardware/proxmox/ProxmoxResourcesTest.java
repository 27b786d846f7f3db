package dev.hal0.hardware.proxmox;

import static dev.hal0.hardware.proxmox.Samples.NOTHING;
import static dev.hal0.hardware.proxmox.Samples.ONE_NODE;
import static dev.hal0.hardware.proxmox.Samples.SELF;
import static dev.hal0.hardware.proxmox.Samples.TWO_NODES;
import static org.assertj.core.api.Assertions.assertThat;

import dev.hal0.hardware.proxmox.ProxmoxSummary.Failed;
import dev.hal0.hardware.proxmox.ProxmoxSummary.Reading;
import dev.hal0.hardware.proxmox.ProxmoxSummary.Reason;
import dev.hal0.hardware.proxmox.ProxmoxSummary.Tenant;
import dev.hal0.kernel.Json;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ProxmoxResourcesTest {
    @Test
    void oneNode_isReadInMebibytesAndPercent() {
        Reading reading = reading(ONE_NODE, SELF);

        assertThat(reading.node()).isEqualTo("pve1");
        assertThat(reading.hostMemTotalMb()).isEqualTo(131_072);
        assertThat(reading.hostMemUsedMb()).isEqualTo(24_576);
        assertThat(reading.hostMemFreeMb()).isEqualTo(106_496);
        assertThat(reading.hostCpuPct()).isEqualTo(25.0);
        assertThat(reading.hostCpuCount()).isEqualTo(32);
        assertThat(reading.hostUptimeS()).isEqualTo(86_400);
    }

    @Test
    void guests_areRunningFirstThenLarge() {
        Reading reading = reading(ONE_NODE, SELF);

        assertThat(reading.tenants()).extracting(Tenant::vmid).containsExactly(105, 159, 200, 300);
        assertThat(reading.tenantsTotal()).isEqualTo(4);
        assertThat(reading.tenantsRunning()).isEqualTo(3);
        assertThat(reading.tenantsAllocatedMb()).isEqualTo(98_304 + 8_192 + 4_096);
        assertThat(reading.tenants().get(2))
                .isEqualTo(new Tenant("qemu", 200, "win", "running", 4096L, 2150L, 4.0, 50.0, "pve1"));
    }

    @Test
    void ownGuest_isNoOtherTenant() {
        Reading reading = reading(ONE_NODE, SELF);

        assertThat(reading.ownVmid()).isEqualTo(105);
        assertThat(reading.own().orElseThrow().memMb()).isEqualTo(9216);
        assertThat(reading.otherTenants()).extracting(Tenant::vmid).containsExactly(159, 200, 300);
    }

    @Test
    void cluster_isReadAtOurOwnNodeOnly() {
        for (OwnGuest self : new OwnGuest[] {SELF, new OwnGuest(105, "renamed"), new OwnGuest(null, "HAL0.lan")}) {
            Reading reading = reading(TWO_NODES, self);

            assertThat(reading.node()).isEqualTo("beta");
            assertThat(reading.hostMemTotalMb()).isEqualTo(131_072);
            assertThat(reading.tenants()).extracting(Tenant::vmid).containsExactly(105, 200);
        }
    }

    @Test
    void clusterWithoutUs_isUnknownNotTheFirstNode() {
        for (OwnGuest self :
                new OwnGuest[] {new OwnGuest(null, "stranger"), new OwnGuest(999, "hal0"), new OwnGuest(null, "")}) {
            Failed failed = failed(TWO_NODES, self);

            assertThat(failed.reason()).isEqualTo(Reason.NODE_UNKNOWN);
            assertThat(failed.error()).contains("alpha, beta", self.description(), "unknown");
        }
    }

    @Test
    void nameOnTwoNodes_isUnknownUnlessOnlyOneRuns() {
        String twin = TWO_NODES.replace("\"dns\"", "\"hal0\"");

        assertThat(failed(twin, SELF).reason()).isEqualTo(Reason.NODE_UNKNOWN);
        assertThat(reading(twin.replaceFirst("running", "stopped"), SELF).node())
                .isEqualTo("beta");
    }

    @Test
    void nameTwiceOnOneNode_isThatNodeWithoutOwnGuest() {
        Reading reading = reading(TWO_NODES.replace("\"win\"", "\"hal0\""), SELF);

        assertThat(reading.node()).isEqualTo("beta");
        assertThat(reading.ownVmid()).isNull();
        assertThat(reading.otherTenants()).hasSize(2);
    }

    @ParameterizedTest
    @CsvSource({"hal0.home, hal0.lan", "hal, hal0", "'', hal0"})
    void otherName_isNotUs(String guest, String host) {
        String answer = ONE_NODE.replace("\"hal0\"", "\"" + guest + "\"");

        assertThat(reading(answer, new OwnGuest(null, host)).ownVmid()).isNull();
    }

    @Test
    void emptyData_isATokenWithoutRightsNotAHostWithoutMemory() {
        Failed failed = failed(NOTHING, SELF);

        assertThat(failed.reason()).isEqualTo(Reason.NO_NODE);
        assertThat(failed.error()).contains("sees no node", "PVEAuditor");
    }

    @Test
    void nodeWithoutFigures_isATokenWithoutRights() {
        Failed failed = failed("{\"data\":[{\"type\":\"node\",\"node\":\"pve1\",\"status\":\"online\"}]}", SELF);

        assertThat(failed.reason()).isEqualTo(Reason.NO_NODE);
        assertThat(failed.error()).contains("no memory figures of node pve1");
    }

    @Test
    void ownGuestOnAnInvisibleNode_isNotAnotherNode() {
        String answer = ONE_NODE.replace("\"name\":\"hal0\",\"node\":\"pve1\"", "\"name\":\"hal0\",\"node\":\"gamma\"");

        assertThat(failed(answer, SELF).error()).contains("node gamma");
    }

    @Test
    void numbersAsText_areNumbers() {
        String answer =
                ONE_NODE.replace("137438953472", "\"137438953472\"").replace("\"vmid\":105", "\"vmid\":\"105\"");

        assertThat(reading(answer, SELF).hostMemTotalMb()).isEqualTo(131_072);
        assertThat(reading(answer, SELF).ownVmid()).isEqualTo(105);
    }

    @Test
    void figuresThatWereNotTold_areNullNotZero() {
        Reading reading = reading(TWO_NODES, SELF);

        assertThat(reading.hostCpuPct()).isNull();
        assertThat(reading.hostCpuCount()).isNull();
        assertThat(reading.hostUptimeS()).isNull();
        assertThat(reading.tenants().getFirst().memMb()).isNull();
    }

    @ParameterizedTest
    @ValueSource(strings = {"null", "1", "[]", "{}", "{\"data\":null}", "{\"data\":{}}", "{\"data\":\"x\"}"})
    void answerOfAnotherShape_isABadAnswer(String answer) {
        assertThat(failed(answer, SELF).reason()).isEqualTo(Reason.BAD_ANSWER);
    }

    private static ProxmoxSummary summary(String answer, OwnGuest self) {
        return ProxmoxResources.summary(Json.LENIENT.readTree(answer), self);
    }

    private static Reading reading(String answer, OwnGuest self) {
        assertThat(summary(answer, self)).isInstanceOf(Reading.class);
        return (Reading) summary(answer, self);
    }

    private static Failed failed(String answer, OwnGuest self) {
        assertThat(summary(answer, self)).isInstanceOf(Failed.class);
        return (Failed) summary(answer, self);
    }
}
