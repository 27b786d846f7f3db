package dev.hal0.hardware;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** One line per machine: what it is, what can be used, how much a model may take and what ends first. MiB. */
class ProbeTableTest {
    @ParameterizedTest(name = "{0}")
    @CsvSource(nullValues = "-", useHeadersInDisplayName = false, textBlock = """
                    # host,                        platform,              runtime,    accelerator, pool,   physical, headroom, limited by
                    strix-halo,                     strix-halo,            bare-metal, strix-halo,  98816,  128441,   92416,    pool
                    strix-halo-carveout-4g,         strix-halo,            bare-metal, strix-halo,  102400, 126166,   50776,    ram
                    strix-halo-carveout-96g,        strix-halo,            bare-metal, strix-halo,  114688, 129554,   113564,   pool
                    strix-halo-lxc,                 lxc,                   lxc,        strix-halo,  98816,  32768,    61752,    cgroup
                    strix-halo-lxc-without-devices, lxc,                   lxc,        none,        -,      -,        27248,    ram
                    strix-halo-denied,              strix-halo,            bare-metal, none,        -,      128441,   115139,   ram
                    phoenix-laptop,                 bare-metal-amd-gpu,    bare-metal, amd-gpu,     18432,  35346,    17732,    pool
                    strix-point-laptop,             bare-metal-amd-gpu,    bare-metal, amd-gpu,     32768,  64548,    32068,    pool
                    rtx-4090,                       bare-metal-nvidia-gpu, bare-metal, nvidia-gpu,  24564,  64000,    23540,    pool
                    rtx-and-amd-igpu,               bare-metal-nvidia-gpu, bare-metal, nvidia-gpu,  16376,  64512,    16000,    pool
                    two-rtx,                        bare-metal-nvidia-gpu, bare-metal, nvidia-gpu,  24576,  256835,   24000,    pool
                    radeon-7900,                    bare-metal-amd-gpu,    bare-metal, amd-gpu,     24576,  64257,    23576,    pool
                    intel-arc,                      bare-metal-intel-gpu,  bare-metal, intel-gpu,   16384,  64000,    -,        -
                    intel-igpu,                     bare-metal-intel-gpu,  bare-metal, intel-gpu,   -,      15949,    6741,     ram
                    gb10,                           bare-metal-nvidia-gpu, bare-metal, nvidia-gpu,  -,      122545,   105373,   ram
                    cpu-only,                       bare-metal-cpu-only,   bare-metal, none,        -,      127929,   115139,   ram
                    arm,                            bare-metal-cpu-only,   bare-metal, none,        -,      3791,     881,      ram
                    wsl2,                           wsl2,                  wsl2,       nvidia-gpu,  12282,  31250,    11000,    pool
                    proxmox-kvm,                    proxmox-kvm,           kvm,        none,        -,      15949,    9670,     ram
                    libvirt-kvm,                    kvm,                   kvm,        none,        -,      7812,     3811,     ram
                    kvm-without-gpu,                kvm,                   kvm,        none,        -,      3906,     1369,     ram
                    docker-nvidia,                  container,             container,  nvidia-gpu,  23034,  -,        23000,    pool
                    """)
    void machine_isNamedAndMeasured(
            String name,
            String platform,
            String runtime,
            String accelerator,
            @Nullable Long pool,
            @Nullable Long physical,
            @Nullable Long headroom,
            @Nullable String limitedBy) {
        HardwareReport report = Hosts.report(name);
        MemoryTruth truth = Hosts.truth(name);
        HostRuntime found = report.runtime();
        MemoryLimit limit = truth.limitedBy();
        String row = String.format(
                Locale.ROOT,
                "%-31s %-22s %-11s %-11s pool %-7s physical %-7s headroom %-7s %s",
                name,
                report.platform(),
                found == null ? null : found.word(),
                report.accelerator().word(),
                truth.poolMb(),
                truth.physicalMb(),
                truth.headroomMb(),
                limit == null ? null : limit.word());
        System.out.println(row);

        assertThat(row)
                .isEqualTo(String.format(
                        Locale.ROOT,
                        "%-31s %-22s %-11s %-11s pool %-7s physical %-7s headroom %-7s %s",
                        name,
                        platform,
                        runtime,
                        accelerator,
                        pool,
                        physical,
                        headroom,
                        limitedBy));
        assertThat(report.explanations())
                .as("each thing stated is explained")
                .extracting(Explanation::field)
                .contains("cpu.cores", "memory.total_mb", "platform", "accelerator", "runtime", "disk_free_mb");
    }
}
