package dev.hal0.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hal0.hardware.Host;
import dev.hal0.kernel.DurableFiles;
import dev.hal0.kernel.HomeDirectory;
import dev.hal0.slots.Device;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MachineTest {
    private static final Path HOSTS = Path.of("..", "hardware", "src", "test", "resources", "hosts");

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path home;

    private @Nullable Machine opened;

    @AfterEach
    void close() {
        if (opened != null) {
            opened.close();
        }
    }

    @Test
    void unifiedMemory_isOnePoolForAllDevices() throws Exception {
        Machine machine = machine("strix-halo", Optional.empty());

        assertThat(machine.pool(Device.GPU_VULKAN)).isEqualTo(machine.pool(Device.CPU));
        assertThat(machine.budgetBytes()).containsOnlyKeys("ram");
        // Pool: 96 GiB of GTT and the carve-out of 512 MiB.
        assertThat(machine.budgetBytes()).containsEntry("ram", (96L << 30) + (512L << 20));
        // Known with the sampler's first sample, which nobody waits for.
        await().atMost(Duration.ofSeconds(20))
                .untilAsserted(() -> assertThat(machine.freeBytes()).containsOnlyKeys("ram"));
    }

    @Test
    void cardWithMemoryOfItsOwn_isAPoolBesideMainMemory() throws Exception {
        Machine machine = machine("rtx-4090", Optional.empty());

        assertThat(machine.pool(Device.GPU_CUDA)).isEqualTo("vram");
        assertThat(machine.pool(Device.CPU)).isEqualTo("ram");
        assertThat(machine.budgetBytes()).containsOnlyKeys("vram", "ram");
        assertThat(machine.budgetBytes().get("vram")).isBetween(23L << 30, 24L << 30);
    }

    @Test
    void withoutAGpu_everythingLivesInMainMemory() throws Exception {
        Machine machine = machine("cpu-only", Optional.empty());

        assertThat(machine.pool(Device.GPU_VULKAN)).isEqualTo("ram");
        assertThat(machine.budgetBytes()).containsOnlyKeys("ram");
    }

    @Test
    void configuredBudget_winsOverWhatWasFound() throws Exception {
        assertThat(machine("cpu-only", Optional.of(5L << 30)).budgetBytes()).containsEntry("ram", 5L << 30);
    }

    @Test
    void beforeTheProbe_nothingIsClaimed() {
        var machine = new Machine(
                Host.fixture(HOSTS.resolve("cpu-only")),
                HomeDirectory.under(home),
                new DurableFiles(),
                InstantSource.system(),
                OptionalLong::empty,
                Optional.empty());

        assertThat(machine.budgetBytes()).isEmpty();
        assertThat(machine.freeBytes()).isEmpty();
        assertThat(machine.pool(Device.GPU_ROCM)).isEqualTo("ram");
        machine.close();
    }

    /** Guards pitfall 31: what the probe found is kept. */
    @Test
    void secondStart_usesWhatTheFirstOneFound() throws Exception {
        machine("cpu-only", Optional.empty()).close();

        assertThat(home.resolve("etc/hal0/hardware.json")).content().contains("\"platform\"");
    }

    private Machine machine(String fixture, Optional<Long> budget) throws Exception {
        assertThat(HOSTS.resolve(fixture)).isDirectory();
        var machine = new Machine(
                Host.fixture(HOSTS.resolve(fixture)),
                HomeDirectory.under(home),
                new DurableFiles(),
                InstantSource.system(),
                OptionalLong::empty,
                budget);
        opened = machine;
        machine.start();
        machine.firstProbe().get(20, TimeUnit.SECONDS);
        return machine;
    }
}
