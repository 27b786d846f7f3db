package dev.hal0.hardware;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MemoryTruthTest {
    @TempDir
    Path folder;

    private final HardwareReport halo = Hosts.report("strix-halo");

    /** Pitfall 29: a cached 80 GiB was shown while 96 GiB was real. */
    @Test
    void gttThatMovedSinceTheProbe_isReadAnew() {
        var now = new MemoryReadings(0L, 81920L, 0L, 120000L, null, null);

        MemoryTruth truth = MemoryTruth.of(halo, now);

        assertThat(truth.gttTotalMb()).isEqualTo(81920);
        assertThat(truth.poolMb()).isEqualTo(512 + 81920);
    }

    /** Pitfall 33: other guests' memory is not in the GTT counters. */
    @Test
    void fullProxmoxHost_isTheLimit() {
        var now = new MemoryReadings(0L, null, 0L, 120000L, null, null).withHostFreeMb(20000L);

        MemoryTruth truth = MemoryTruth.of(halo, now);

        assertThat(truth.limitedBy()).isEqualTo(MemoryLimit.HOST);
        assertThat(truth.headroomMb()).isEqualTo(20000 + 512);
    }

    /** Pitfall 34: inside a container much was available, and a load failed because GTT was short. */
    @Test
    void shortGtt_isTheLimitHoweverMuchIsAvailable() {
        var now = new MemoryReadings(512L, 98304L, 60000L, 66560L, null, null);

        MemoryTruth truth = MemoryTruth.of(halo, now);

        assertThat(truth.limitedBy()).isEqualTo(MemoryLimit.POOL);
        assertThat(truth.headroomMb()).isEqualTo(38304);
    }

    /** Pitfall 32: what a unified slot holds counts in the pool. */
    @Test
    void loadedModel_shrinksThePool() {
        var empty = new MemoryReadings(0L, null, 0L, 120000L, null, null);
        var loaded = new MemoryReadings(0L, null, 6000L, 114000L, null, null);

        assertThat(MemoryTruth.of(halo, empty).poolFreeMb())
                .isEqualTo(6000
                        + Objects.requireNonNull(MemoryTruth.of(halo, loaded).poolFreeMb()));
    }

    /** A carve-out is no main memory: little available memory leaves all of it free. */
    @Test
    void carveOut_isNotLimitedByMainMemory() {
        HardwareReport report = Hosts.report("strix-halo-carveout-96g");
        var now = new MemoryReadings(0L, null, 0L, 3048L, null, null);

        MemoryTruth truth = MemoryTruth.of(report, now);

        assertThat(truth.headroomMb()).isEqualTo(98304 + 1000);
        assertThat(truth.limitedBy()).isEqualTo(MemoryLimit.RAM);
    }

    @Test
    void unknownUsage_leavesThePoolUnknownAndTheOtherLimitsKnown() {
        MemoryTruth truth = MemoryTruth.of(halo, new MemoryReadings(null, null, null, 50000L, null, null));

        assertThat(truth.poolMb()).isEqualTo(98816);
        assertThat(truth.poolFreeMb()).isNull();
        assertThat(truth.headroomMb()).isEqualTo(50000 - MemoryTruth.RESERVE_MB);
        assertThat(MemoryTruth.of(halo, MemoryReadings.UNKNOWN).headroomMb()).isNull();
        assertThat(MemoryTruth.of(halo, MemoryReadings.UNKNOWN).limitedBy()).isNull();
    }

    @Test
    void lessAvailableThanTheReserve_isNoHeadroomRatherThanLess() {
        MemoryTruth truth = MemoryTruth.of(halo, null, new MemoryReadings(null, null, null, 500L, null, null));

        assertThat(truth.headroomMb()).isEqualTo(0);
        assertThat(truth.limitedBy()).isEqualTo(MemoryLimit.RAM);
    }

    /** What loads a card passes through main memory and is given back. */
    @Test
    void card_isLimitedByItsOwnMemoryOnly() {
        HardwareReport report = Hosts.report("radeon-7900");

        MemoryTruth truth = MemoryTruth.of(report, new MemoryReadings(1000L, 65536L, 200L, 8000L, null, null));

        assertThat(truth.headroomMb()).isEqualTo(23576);
        assertThat(truth.limitedBy()).isEqualTo(MemoryLimit.POOL);
        assertThat(truth.limits()).containsEntry(MemoryLimit.RAM, 8000 - MemoryTruth.RESERVE_MB);
        assertThat(truth.gttTotalMb()).isNull();
    }

    /** Pitfall 30: without knowing the card's use, main memory is no answer for it. */
    @Test
    void cardWithUnknownUse_hasUnknownHeadroom() {
        MemoryTruth truth =
                MemoryTruth.of(Hosts.report("rtx-4090"), new MemoryReadings(null, null, null, 60000L, null, null));

        assertThat(truth.headroomMb()).isNull();
        assertThat(truth.limitedBy()).isNull();
    }

    @Test
    void secondCard_isMeasuredByItself() {
        HardwareReport report = Hosts.report("two-rtx");
        Gpu second = report.gpus().get(1);

        MemoryTruth truth = MemoryTruth.of(report, second, MemoryReadings.read(Hosts.host("two-rtx"), second));

        assertThat(truth.headroomMb()).isEqualTo(24576 - 276);
    }

    @Test
    void carveOutOfUnknownSize_leavesPhysicalUnknown() {
        HardwareReport report = HostTree.copyOf("strix-halo", folder)
                .without("sys/bus/pci/devices/0000:c5:00.0/mem_info_vram_total")
                .report();

        assertThat(MemoryTruth.of(report, MemoryReadings.UNKNOWN).physicalMb()).isNull();
    }
}
