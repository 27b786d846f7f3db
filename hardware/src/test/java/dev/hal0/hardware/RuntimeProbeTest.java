package dev.hal0.hardware;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RuntimeProbeTest {
    @TempDir
    Path folder;

    /** Pitfall 26: the container check came first and hid the GPU class in the reference deployment. */
    @Test
    void strixHaloInLxc_hasBothAnswers() {
        HardwareReport report = Hosts.report("strix-halo-lxc");

        assertThat(report.platform()).isEqualTo("lxc");
        assertThat(report.runtime()).isEqualTo(HostRuntime.LXC);
        assertThat(report.accelerator()).isEqualTo(Accelerator.STRIX_HALO);
        assertThat(report.proxmoxLikely()).isTrue();
    }

    @Test
    void lxcByEnvironmentOfInit_isLxc() {
        HardwareReport report = HostTree.copyOf("cpu-only", folder)
                .file("proc/1/environ", "PATH=/bin\0container=lxc\0TERM=linux\0")
                .report();

        assertThat(report.runtime()).isEqualTo(HostRuntime.LXC);
    }

    @ParameterizedTest
    @ValueSource(strings = {"podman", "docker", "systemd-nspawn"})
    void otherContainerManagers_areContainers(String manager) {
        HardwareReport report = HostTree.copyOf("cpu-only", folder)
                .file("run/systemd/container", manager + "\n")
                .report();

        assertThat(report.runtime()).isEqualTo(HostRuntime.CONTAINER);
        assertThat(report.platform()).isEqualTo("container");
    }

    /** A service of a container host has the tool's name in its own group, and is no container. */
    @Test
    void serviceNamedAfterContainerTool_isBareMetal() {
        HardwareReport report = HostTree.copyOf("cpu-only", folder)
                .file("proc/self/cgroup", "0::/system.slice/docker.service\n")
                .report();

        assertThat(report.runtime()).isEqualTo(HostRuntime.BARE_METAL);
    }

    /** EDK II is on real boards too. */
    @Test
    void edkFirmwareOnRealBoard_isBareMetal() {
        assertThat(Hosts.report("cpu-only").runtime()).isEqualTo(HostRuntime.BARE_METAL);
    }

    @Test
    void hypervisorFlagAlone_isAVirtualMachine() {
        HardwareReport report = Hosts.report("kvm-without-gpu");

        assertThat(report.runtime()).isEqualTo(HostRuntime.KVM);
        assertThat(report.gpus()).isEmpty();
        assertThat(report.proxmoxLikely()).isFalse();
    }

    /** Q35 with virtio is every modern virtual machine, not Proxmox in particular. */
    @Test
    void libvirtMachine_isKvmAndOnlyLikelyProxmox() {
        HardwareReport report = Hosts.report("libvirt-kvm");

        assertThat(report.platform()).isEqualTo("kvm");
        assertThat(report.proxmoxLikely()).isTrue();
    }

    /** An AMD GPU beside an NPU is most laptops since 2023. */
    @ParameterizedTest
    @ValueSource(strings = {"phoenix-laptop", "strix-point-laptop"})
    void laptopWithNpu_isNotStrixHalo(String name) {
        HardwareReport report = Hosts.report(name);

        assertThat(report.npu().usable()).isTrue();
        assertThat(report.platform()).isEqualTo("bare-metal-amd-gpu");
        assertThat(report.accelerator()).isEqualTo(Accelerator.AMD_GPU);
    }

    @ParameterizedTest
    @ValueSource(strings = {"AMD RYZEN AI MAX+ PRO 395 w/ Radeon 8060S", "AMD Ryzen AI Max 385 w/ Radeon 8050S"})
    void strixHaloByProcessorName_inAnyLetterCase(String model) {
        HardwareReport report = HostTree.copyOf("cpu-only", folder)
                .file("proc/cpuinfo", "processor : 0\nmodel name : " + model + "\ncpu cores : 1\n")
                .report();

        assertThat(report.platform()).isEqualTo("strix-halo");
        assertThat(report.accelerator()).isEqualTo(Accelerator.NONE);
    }

    @Test
    void earlierNameOfIntelPlatform_isReadAsTodays() {
        HardwareReport report = Hosts.report("intel-igpu");
        var earlier = new HardwareReport(
                report.schemaVersion(),
                report.probedAt(),
                null,
                null,
                null,
                null,
                report.cpu(),
                report.memory(),
                report.gpus(),
                report.npu(),
                report.kfd(),
                report.runtime(),
                report.accelerator(),
                "bare-metal-intel-igpu",
                null,
                null,
                report.explanations());

        assertThat(earlier.platform()).isEqualTo("bare-metal-intel-gpu");
    }
}
