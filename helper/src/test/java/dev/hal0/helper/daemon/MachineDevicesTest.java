package dev.hal0.helper.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.hal0.kernel.DeviceClass;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class MachineDevicesTest {
    @TempDir
    Path dev;

    private void node(String name) throws IOException {
        Files.createDirectories(dev.resolve(name).getParent());
        Files.createFile(dev.resolve(name));
    }

    /** P10: nodes one by one, never the folder. */
    @Test
    void everyRenderNode_isListed() throws IOException {
        node("dri/renderD129");
        node("dri/renderD128");
        node("dri/card0");
        Files.createDirectories(dev.resolve("dri/by-path"));

        assertThat(new MachineDevices(dev, false).find(DeviceClass.DRI).nodes())
                .containsExactly(dev + "/dri/renderD128", dev + "/dri/renderD129", dev + "/dri/card0");
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    void machineWithout_saysWhatIsMissing(DeviceClass wanted) {
        assertThatThrownBy(() -> new MachineDevices(dev, false).find(wanted))
                .isInstanceOfSatisfying(Hal0Exception.class, told -> {
                    assertThat(told.code()).isEqualTo(ErrorCode.SLOT_DEVICE_MISSING);
                    assertThat(told.message()).contains(dev.toString());
                });
    }

    /** P29: an engine that needs no device is not asked for one. */
    @Test
    void noDevices_needNone() {
        assertThat(new MachineDevices(dev, false).find(DeviceClass.NONE).nodes())
                .isEmpty();
    }

    @Test
    void softwareRenderer_needsNoNode() {
        assertThat(new MachineDevices(dev, true).find(DeviceClass.DRI).nodes()).isEmpty();
    }

    @Test
    void computeDevice_comesWithItsRenderNodes() throws IOException {
        node("kfd");
        node("dri/renderD128");

        assertThat(new MachineDevices(dev, false).find(DeviceClass.KFD).nodes())
                .containsExactly(dev + "/kfd", dev + "/dri/renderD128");
    }
}
