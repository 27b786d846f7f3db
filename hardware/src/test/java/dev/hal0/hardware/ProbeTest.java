package dev.hal0.hardware;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ProbeTest {
    @TempDir
    Path folder;

    /** Nothing at all to read is the worst machine: all unknown, nothing thrown, nothing 0. */
    @Test
    void emptyMachine_isUnknownThroughout() {
        HardwareReport report = Hosts.probe().run(Host.fixture(folder));

        assertThat(report.cpu()).isEqualTo(Cpu.UNKNOWN);
        assertThat(report.memory()).isEqualTo(Memory.UNKNOWN);
        assertThat(report.runtime()).isNull();
        assertThat(report.platform()).isEqualTo("unknown");
        assertThat(report.diskFreeMb()).isNull();
        assertThat(report.bootId()).isNull();
        assertThat(report.kernel()).isNull();
        assertThat(report.proxmoxLikely()).isNull();
        assertThat(report.explanations())
                .filteredOn(explanation -> explanation.field().equals("memory.total_mb"))
                .singleElement()
                .extracting(Explanation::value)
                .isNull();
        MemoryTruth truth = MemoryTruth.of(report, MemoryReadings.read(Host.fixture(folder), null));
        assertThat(truth.headroomMb()).isNull();
        assertThat(truth.physicalMb()).isNull();
    }

    @Test
    void commandsThatThrow_leaveTheRestKnown() {
        var host = new Host(
                Hosts.folder("strix-halo"),
                (argv, deadline) -> {
                    throw new IllegalStateException("no " + argv.getFirst());
                },
                new FixtureMachine(Hosts.folder("strix-halo")),
                new FixtureMachine(Hosts.folder("strix-halo")));

        HardwareReport report = Hosts.probe().run(host);

        assertThat(report.accelerator()).isEqualTo(Accelerator.STRIX_HALO);
        assertThat(report.explanations())
                .filteredOn(explanation -> explanation.field().equals("gpus.lspci"))
                .singleElement()
                .satisfies(explanation -> assertThat(explanation.source()).contains("no lspci"));
    }

    @Test
    void openerThatThrows_leavesTheRestKnown() {
        var machine = new FixtureMachine(Hosts.folder("strix-halo"));
        var host = new Host(
                Hosts.folder("strix-halo"),
                machine,
                node -> {
                    throw new IllegalStateException("no " + node);
                },
                machine);

        HardwareReport report = Hosts.probe().run(host);

        assertThat(report.kfd()).isEqualTo(NodeAccess.FAILED);
        assertThat(report.gpus().getFirst().access()).isEqualTo(NodeAccess.FAILED);
        assertThat(report.gpus().getFirst().vramDedicatedMb()).isEqualTo(512);
        assertThat(report.memory().totalMb()).isEqualTo(127929);
        assertThat(report.platform()).isEqualTo("strix-halo");
    }

    /** One file after the other turns to nonsense; no step may fail because of what it reads. */
    @ParameterizedTest
    @ValueSource(strings = {"strix-halo-lxc", "rtx-4090", "intel-arc", "libvirt-kvm"})
    void nonsenseInAnyFile_failsNoStep(String name) throws IOException {
        HostTree tree = HostTree.copyOf(name, folder);
        List<Path> files;
        try (Stream<Path> paths = Files.walk(folder)) {
            files = paths.filter(Files::isRegularFile).toList();
        }
        var nonsense = List.of("", "\n", "\0\uffff: =,[]()", "9".repeat(60), "-1", ":\n:\n=\n=", "a:b:c:d, , , , , ,");
        for (Path file : files) {
            String original = Files.readString(file);
            for (String content : nonsense) {
                Files.writeString(file, content);
                HardwareReport report = tree.report();
                assertThat(report.explanations())
                        .as("%s holding %s", file, content)
                        .noneMatch(explanation -> explanation.source().startsWith("the step failed"));
                MemoryTruth.of(
                        report,
                        MemoryReadings.read(tree.host(), report.primaryGpu().orElse(null)));
            }
            Files.writeString(file, original);
        }
    }

    /** A half-finished probe must not be stored as what the machine is. */
    @Test
    void cancelledProbe_saysSo() {
        var machine = new FixtureMachine(Hosts.folder("strix-halo"));
        var host = new Host(
                Hosts.folder("strix-halo"),
                (argv, deadline) -> {
                    throw new Hal0Exception(ErrorCode.OPERATION_CANCELLED, "cancelled");
                },
                machine,
                machine);

        assertThatThrownBy(() -> Hosts.probe().run(host)).isInstanceOf(Hal0Exception.class);
    }

    /** Pitfall 28: the kernel does not narrow "cpu cores" to what a container was given. */
    @Test
    void threeOfThirtyTwoProcessors_areThreeCores() {
        Cpu cpu = Hosts.report("strix-halo-lxc-without-devices").cpu();

        assertThat(cpu.threads()).isEqualTo(3);
        assertThat(cpu.cores()).isEqualTo(3);
    }

    @ParameterizedTest
    @CsvSource({
        "strix-halo,AMD RYZEN AI MAX+ 395 w/ Radeon 8060S,16,32",
        "two-rtx,AMD EPYC 7302 16-Core Processor,32,64",
        "cpu-only,Intel(R) Xeon(R) Gold 6230 CPU @ 2.10GHz,40,80",
        "gb10,CPU part 0xd85,20,20"
    })
    void processors_areCounted(String name, String model, int cores, int threads) {
        Cpu cpu = Hosts.report(name).cpu();

        assertThat(cpu.model()).isEqualTo(model);
        assertThat(cpu.cores()).isEqualTo(cores);
        assertThat(cpu.threads()).isEqualTo(threads);
    }

    @Test
    void armBoard_isNamedAndItsCoresAreUnknown() {
        Cpu cpu = Hosts.report("arm").cpu();

        assertThat(cpu.model()).isEqualTo("Raspberry Pi 4 Model B Rev 1.5");
        assertThat(cpu.threads()).isEqualTo(4);
        assertThat(cpu.cores()).isNull();
    }

    /** Both "no limit" marks, as written and rounded to pages of 4 and 64 KiB. */
    @ParameterizedTest
    @CsvSource({
        "memory.max,max,",
        "memory.max,17179869184,16384",
        "memory/memory.limit_in_bytes,9223372036854775807,",
        "memory/memory.limit_in_bytes,9223372036854771712,",
        "memory/memory.limit_in_bytes,9223372036854710272,",
        "memory/memory.limit_in_bytes,99999999999999999999999,",
        "memory/memory.limit_in_bytes,8589934592,8192"
    })
    void groupLimit_isReadFromBothVersions(String file, String text, @Nullable Long mebibytes) {
        HardwareReport report =
                new HostTree(folder).file("sys/fs/cgroup/" + file, text + "\n").report();

        assertThat(report.memory().cgroupMaxMb()).isEqualTo(mebibytes);
    }

    /** Only root may ask, and only where the total may be capped. */
    @Test
    void moduleSizes_areAskedForByRootInAContainerOnly() {
        assertThat(Hosts.report("strix-halo-lxc").memory().dimmSumMb()).isEqualTo(32768);
        assertThat(Hosts.report("strix-halo-lxc-without-devices").memory().dimmSumMb())
                .isNull();
        assertThat(Hosts.report("strix-halo").memory().dimmSumMb()).isNull();
    }

    @Test
    void npu_isNamedByItsPciIdentity() {
        Npu halo = Hosts.report("strix-halo").npu();
        assertThat(halo.name()).isEqualTo("AMD XDNA 2 NPU (Strix Halo)");
        assertThat(halo.accelPath()).isEqualTo("/dev/accel/accel0");
        assertThat(halo.aieColumns()).isEqualTo(8);
        Npu phoenix = Hosts.report("phoenix-laptop").npu();
        assertThat(phoenix.generation()).isEqualTo("xdna1");
        assertThat(phoenix.aieColumns()).isNull();
        assertThat(Hosts.report("rtx-4090").npu()).isEqualTo(Npu.NONE);
    }

    @Test
    void generalFacts_areRead() {
        HardwareReport report = Hosts.report("strix-halo");

        assertThat(report.schemaVersion()).isEqualTo(HardwareReport.SCHEMA_VERSION);
        assertThat(report.probedAt()).isEqualTo(Hosts.NOW);
        assertThat(report.kernel()).isEqualTo("Linux version 6.16.1-generic");
        assertThat(report.distro()).isEqualTo("Debian GNU/Linux 13 (trixie)");
        assertThat(report.hostname()).isEqualTo("box");
        assertThat(report.diskFreeMb()).isEqualTo(524288);
    }

    /** The machine that runs this test, whatever it is. */
    @Test
    void realMachine_hasProcessorsAndMemory() {
        HardwareReport report = new Probe(Clock.systemUTC(), Path.of("/var/lib/hal0")).run(Host.real());

        assertThat(report.cpu().threads()).isPositive();
        assertThat(report.memory().totalMb()).isPositive();
        assertThat(MemoryTruth.of(report, MemoryReadings.read(Host.real(), null))
                        .headroomMb())
                .isNotNull();
        assertThat(Host.real().output(Probe.DEADLINE, "no-such-program-here")).isEqualTo(Optional.empty());
        assertThat(Host.real().open("/dev/null")).isEqualTo(NodeAccess.USABLE);
        assertThat(Host.real().open("/dev/no-such-node")).isEqualTo(NodeAccess.ABSENT);
    }
}
