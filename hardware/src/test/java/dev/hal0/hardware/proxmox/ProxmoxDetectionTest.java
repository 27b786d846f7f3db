package dev.hal0.hardware.proxmox;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProxmoxDetectionTest {
    private static final String PVE = "Linux version 6.8.12-4-pve (build@proxmox) (gcc 12.2.0) #1 SMP PREEMPT_DYNAMIC";

    @ParameterizedTest
    @CsvSource({
        PVE + ", 0::/lxc/105/ns/init.scope, DETECTED",
        PVE + ", 0::/lxc.payload.105/init.scope, DETECTED",
        PVE + ", 0::/init.scope, UNCERTAIN",
        PVE + ", '', UNCERTAIN",
        "Linux version 6.12.9-amd64, 0::/lxc/105, UNCERTAIN",
        "Linux version 6.12.9-amd64, 0::/init.scope, NONE",
        "Linux version 6.12.9-pvetest, 0::/lxcfs.service, NONE",
        "'', '', NONE"
    })
    void signsOfProxmox_decide(String version, String groups, ProxmoxDetection expected) {
        assertThat(ProxmoxDetection.of(version, groups)).isEqualTo(expected);
        assertThat(expected.hint()).endsWith(".");
    }

    @Test
    void numberInTheControlGroup_isOurs() {
        assertThat(OwnGuest.of("12:cpuset:/lxc/105/ns\n0::/lxc/105/ns/init.scope\n", "hal0\n"))
                .isEqualTo(new OwnGuest(105, "hal0"));
        assertThat(OwnGuest.of("0::/lxc.payload.105/init.scope\n", "hal0").vmid())
                .isEqualTo(105);
    }

    @ParameterizedTest
    @CsvSource({"0::/init.scope", "0::/lxc/web/init.scope", "0::/lxc/105x", "0::/lxc/99999999999", "''"})
    void controlGroupWithoutANumber_leavesTheName(String groups) {
        assertThat(OwnGuest.of(groups, "hal0")).isEqualTo(new OwnGuest(null, "hal0"));
    }
}
