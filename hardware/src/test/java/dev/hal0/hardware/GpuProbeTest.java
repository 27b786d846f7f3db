package dev.hal0.hardware;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GpuProbeTest {
    @TempDir
    Path folder;

    private static Gpu only(HardwareReport report) {
        assertThat(report.gpus()).hasSize(1);
        return report.gpus().getFirst();
    }

    /** Pitfall 25: ROCm was decided by rocm-smi being installed, and fresh containers ran without it. */
    @Test
    void kfdOpensWithoutRocmSmi_computeIsCapable() {
        HardwareReport report = Hosts.report("strix-halo-lxc");

        assertThat(report.kfd()).isEqualTo(NodeAccess.USABLE);
        assertThat(only(report).computeCapable()).isTrue();
    }

    /** Pitfall 25: a tool that answers does not open the node. */
    @Test
    void rocmSmiAnswersButKfdIsDenied_computeIsNotCapable() {
        HardwareReport report = HostTree.copyOf("strix-halo", folder)
                .file("commands/rocm-smi.out", "GPU[0]: Card series: Radeon 8060S\n")
                .file("unopenable", "dev/kfd\n")
                .report();

        assertThat(report.kfd()).isEqualTo(NodeAccess.DENIED);
        assertThat(only(report).computeCapable()).isFalse();
        assertThat(only(report).vulkanCapable()).isTrue();
        assertThat(report.accelerator()).as("Vulkan needs no kfd").isEqualTo(Accelerator.STRIX_HALO);
    }

    /** Pitfall 27: sysfs shows the host's GPU to a container without device nodes. */
    @Test
    void hostGpuWithoutNodes_isListedAndNotUsed() {
        HardwareReport report = Hosts.report("strix-halo-lxc-without-devices");

        Gpu gpu = only(report);
        assertThat(gpu.pciId()).isEqualTo("1002:1586");
        assertThat(gpu.access()).isEqualTo(NodeAccess.ABSENT);
        assertThat(gpu.usable()).isFalse();
        assertThat(gpu.computeCapable()).isFalse();
        assertThat(report.primaryGpu()).isEmpty();
        assertThat(report.explanations())
                .filteredOn(explanation -> explanation.field().equals("accelerator"))
                .singleElement()
                .satisfies(explanation -> assertThat(explanation.source()).contains("0000:c5:00.0", "absent"));
    }

    @Test
    void nodesThatMayNotBeOpened_areDenied() {
        HardwareReport report = Hosts.report("strix-halo-denied");

        assertThat(only(report).access()).isEqualTo(NodeAccess.DENIED);
        assertThat(report.npu().present()).isTrue();
        assertThat(report.npu().usable()).isFalse();
    }

    /** Pitfall 42: unified NVIDIA chips have no memory column; reading it as 0 hid the GPU. */
    @Test
    void nvidiaMemoryNotAvailable_isUnknown() {
        Gpu gpu = only(Hosts.report("gb10"));

        assertThat(gpu.name()).isEqualTo("NVIDIA GB10");
        assertThat(gpu.vramDedicatedMb()).isNull();
        assertThat(gpu.isUma()).isTrue();
        assertThat(gpu.usable()).isTrue();
        assertThat(gpu.pciSlot()).isEqualTo("000f:01:00.0");
    }

    /** The first vendor with results used to end the search. */
    @Test
    void cardAndProcessorGraphics_areBothListed() {
        HardwareReport report = Hosts.report("rtx-and-amd-igpu");

        assertThat(report.gpus())
                .extracting(Gpu::vendor, Gpu::pciSlot, Gpu::isUma)
                .containsExactly(
                        tuple(GpuVendor.NVIDIA, "0000:01:00.0", false), tuple(GpuVendor.AMD, "0000:0f:00.0", true));
        assertThat(report.gpus().getLast().gfx()).isEqualTo("gfx1036");
    }

    @Test
    void twoCardsAndServerDisplay_keepTheDriversNumbers() {
        HardwareReport report = Hosts.report("two-rtx");

        assertThat(report.gpus())
                .extracting(Gpu::vendor, Gpu::index)
                .containsExactly(tuple(GpuVendor.NVIDIA, 0), tuple(GpuVendor.NVIDIA, 1), tuple(GpuVendor.UNKNOWN, 0));
        assertThat(report.gpus().getLast().usable()).isFalse();
    }

    /** Pitfall 27 for cards whose control node is shared: the container was given one card and sees two. */
    @Test
    void cardOfAnotherContainer_isListedAndNotUsed() {
        HardwareReport report = HostTree.copyOf("two-rtx", folder)
                .file(
                        "commands/nvidia-smi.out",
                        "0, NVIDIA GeForce RTX 3090, 24576, 550.54.14, 00000000:81:00.0, 276\n")
                .report();

        assertThat(report.gpus()).extracting(Gpu::usable).containsExactly(false, true, false);
    }

    @Test
    void cardWithTheFreeDriver_isNotUsableForCuda() {
        Gpu gpu = only(HostTree.copyOf("rtx-4090", folder)
                .without("commands/nvidia-smi.out")
                .file(
                        "sys/bus/pci/devices/0000:01:00.0/uevent",
                        "DRIVER=nouveau\nPCI_ID=10DE:2684\nPCI_SLOT_NAME=0000:01:00.0\n")
                .report());

        assertThat(gpu.usable()).isFalse();
        assertThat(gpu.computeCapable()).isFalse();
        assertThat(gpu.vulkanCapable()).isTrue();
    }

    /** A card's GTT is main memory behind the bus, however large. */
    @Test
    void radeonWithLargeGtt_keepsItsOwnMemory() {
        Gpu gpu = only(Hosts.report("radeon-7900"));

        assertThat(gpu.gttTotalMb()).isEqualTo(65536);
        assertThat(gpu.poolMb()).isEqualTo(24576);
        assertThat(gpu.isUma()).isFalse();
        assertThat(gpu.name()).isEqualTo("AMD Navi 31 [Radeon RX 7900 XT/7900 XTX/7900 GRE/7900M]");
    }

    @Test
    void unknownProcessorGraphics_areToldByTheirVoltage() {
        HostTree tree = HostTree.copyOf("strix-halo-carveout-96g", folder);
        String device = "sys/bus/pci/devices/0000:c5:00.0/";
        tree.file(device + "uevent", "DRIVER=amdgpu\nPCI_ID=1002:FFFF\nPCI_SLOT_NAME=0000:c5:00.0\n");

        assertThat(only(tree.report()).isUma()).isTrue();

        tree.without(device + "hwmon/hwmon3/in1_input");
        assertThat(only(tree.report()).isUma()).as("a card has other sensors").isFalse();

        tree.without(device + "hwmon/hwmon3/in0_input").without(device + "hwmon/hwmon3/name");
        tree.without(device + "hwmon/hwmon3");
        assertThat(only(tree.report()).isUma()).as("96 GiB proves nothing").isNull();

        tree.file(device + "mem_info_vram_total", "536870912\n");
        assertThat(only(tree.report()).isUma()).as("the last resort").isTrue();
    }

    @Test
    void vulkanDeviceType_tellsIntelCardFromProcessorGraphics() {
        HardwareReport report = Hosts.report("intel-arc");

        assertThat(report.gpus()).extracting(Gpu::isUma).containsExactly(true, false);
        assertThat(report.primaryGpu()).get().extracting(Gpu::vramDedicatedMb).isEqualTo(16384L);
        assertThat(report.gpus())
                .extracting(Gpu::name)
                .noneMatch(name -> String.valueOf(name).contains("llvmpipe"));
    }

    @Test
    void onlyVulkanKnowsOfAGpu_itIsListed() {
        HardwareReport report = HostTree.copyOf("cpu-only", folder)
                .without("sys/bus/pci/devices/0000:03:00.0/class")
                .without("sys/bus/pci/devices/0000:03:00.0/drm/card0/dev")
                .file(
                        "commands/vulkaninfo.out",
                        "GPU0:\n\tdeviceName = Intel Iris Xe Graphics\n\tvendorID = 0x8086\n\tdeviceID = 0x9a49\n")
                .report();

        Gpu gpu = only(report);
        assertThat(gpu.name()).isEqualTo("Intel Iris Xe Graphics");
        assertThat(gpu.vendor()).isEqualTo(GpuVendor.INTEL);
        assertThat(gpu.usable()).as("no node was opened").isFalse();
    }

    @Test
    void virtualDisplay_isNamedAndNoAccelerator() {
        Gpu gpu = only(Hosts.report("proxmox-kvm"));

        assertThat(gpu.name()).isEqualTo("Red Hat, Inc. Virtio 1.0 GPU");
        assertThat(gpu.vendor()).isEqualTo(GpuVendor.UNKNOWN);
        assertThat(gpu.driver()).isEqualTo("virtio-pci");
    }

    @Test
    void wslCard_isListedBesideTheVirtualDisplay() {
        HardwareReport report = Hosts.report("wsl2");

        assertThat(report.gpus()).extracting(Gpu::vendor).containsExactly(GpuVendor.NVIDIA, GpuVendor.UNKNOWN);
        assertThat(report.primaryGpu()).get().extracting(Gpu::name).isEqualTo("NVIDIA GeForce RTX 4070");
    }

    @Test
    void brokenNvidiaDriver_cardIsVisibleAndNotUsable() {
        HardwareReport report = HostTree.copyOf("rtx-4090", folder)
                .file("commands/nvidia-smi.rc", "9\n")
                .without("dev/nvidiactl")
                .report();

        Gpu gpu = only(report);
        assertThat(gpu.vendor()).isEqualTo(GpuVendor.NVIDIA);
        assertThat(gpu.vramDedicatedMb()).isNull();
        assertThat(gpu.computeCapable()).isFalse();
        assertThat(report.accelerator()).isEqualTo(Accelerator.NONE);
        assertThat(report.platform()).isEqualTo("bare-metal-nvidia-gpu");
    }

    @ParameterizedTest
    @CsvSource(
            nullValues = "-",
            value = {
                "110501,gfx1151",
                "110000,gfx1100",
                "90400,gfx940",
                "90010,gfx90a",
                "90006,gfx906",
                "120001,gfx1201",
                "0,-",
                "99999999,-"
            })
    void gfxTargetVersion_isDecodedByHexadecimalDigits(long version, @Nullable String gfx) {
        assertThat(KfdTopology.gfx(version)).isEqualTo(gfx);
    }

    @Test
    void slotOfATopologyNode_decidesWhichGpuHasTheTarget() {
        HostTree tree = HostTree.copyOf("radeon-7900", folder);
        tree.file("sys/bus/pci/devices/0000:0f:00.0/class", "0x030000\n")
                .file(
                        "sys/bus/pci/devices/0000:0f:00.0/uevent",
                        "DRIVER=amdgpu\nPCI_ID=1002:164E\nPCI_SLOT_NAME=0000:0f:00.0\n")
                .file(
                        "sys/class/kfd/kfd/topology/nodes/2/properties",
                        "gfx_target_version 100306\nlocation_id 3840\ndomain 0\ndrm_render_minor 129\n");

        assertThat(tree.report().gpus()).extracting(Gpu::gfx).containsExactly("gfx1100", "gfx1036");
    }
}
