package dev.hal0.hardware;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HardwareCardTest {
    @TempDir
    Path folder;

    @Test
    void strixHalo_fillsFourLines() {
        assertThat(HardwareCard.render(Hosts.report("strix-halo-carveout-4g"), false))
                .isEqualTo("""
                        CPU   AMD Ryzen AI Max+ PRO 395 w/ Radeon 8060S · 16 cores / 32 threads · 119.2 GiB RAM
                        GPU   AMD Strix Halo graphics, gfx1151, shares main memory, GPU pool 100.0 GiB
                        NPU   AMD XDNA 2 NPU (Strix Halo) · /dev/accel/accel0
                        DISK  512.0 GiB free
                        """);
    }

    @Test
    void whatCannotBeUsed_saysWhy() {
        assertThat(HardwareCard.render(Hosts.report("strix-halo-denied"), true))
                .contains("not usable here: device node denied")
                .contains("NPU   AMD XDNA 2 NPU (Strix Halo) - not usable here");
    }

    @ParameterizedTest
    @ValueSource(strings = {"two-rtx", "wsl2", "gb10", "cpu-only", "kvm-without-gpu", "arm"})
    void everyMachine_hasFourPlainLines(String name) {
        String card = HardwareCard.render(Hosts.report(name), true);

        assertThat(card.lines()).hasSize(4);
        assertThat(card).matches("[\\x20-\\x7e\\n]+");
    }

    @Test
    void unknownMachine_saysUnknown() {
        assertThat(HardwareCard.render(Hosts.probe().run(Host.fixture(folder)), true))
                .isEqualTo("""
                        CPU   unknown - unknown cores / unknown threads - unknown RAM
                        GPU   none
                        NPU   none
                        DISK  unknown free
                        """);
    }

    @Test
    void controlCharactersInAName_doNotReachTheTerminal() {
        HardwareReport report = HostTree.copyOf("cpu-only", folder)
                .file("proc/cpuinfo", "processor : 0\nmodel name : Evil\u001b[2J CPU\n")
                .report();

        assertThat(HardwareCard.render(report, false)).doesNotContain("\u001b").contains("Evil?[2J CPU");
    }
}
