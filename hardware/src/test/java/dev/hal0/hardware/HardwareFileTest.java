package dev.hal0.hardware;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hal0.kernel.DurableFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HardwareFileTest {
    private static final String BOOT = "6b3f1c52-58f2-4c4e-9a55-2f1f9d0c7a10";

    @TempDir
    Path folder;

    private Path path;
    private HardwareFile file;

    @BeforeEach
    void file() {
        path = folder.resolve("etc/hardware.json");
        file = new HardwareFile(new DurableFiles(), path);
    }

    @ParameterizedTest
    @ValueSource(strings = {"strix-halo", "strix-halo-lxc", "two-rtx", "gb10", "wsl2", "kvm-without-gpu"})
    void writtenReport_isReadBackEqual(String name) {
        HardwareReport report = Hosts.report(name);

        file.write(report);

        assertThat(file.read()).contains(report);
    }

    @Test
    void keys_areSortedAndSizesNamedInMebibytes() throws IOException {
        file.write(Hosts.report("strix-halo"));

        List<String> keys = Files.readAllLines(path).stream()
                .filter(line -> line.matches(" {2}\"\\w+\" .*"))
                .map(line -> line.replaceAll("^ {2}\"(\\w+)\".*", "$1"))
                .toList();
        assertThat(keys).isSorted().contains("accelerator", "boot_id", "disk_free_mb", "schema_version");
        assertThat(Files.readString(path))
                .contains("\"accelerator\" : \"strix-halo\"", "\"is_uma\" : true", "\"cgroup_max_mb\" : null");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{",
                "[]",
                "null",
                "{\"schema_version\": 1}",
                "{\"schema_version\": 99}",
                "{\"schema_version\": 1, \"gpus\": null}",
                "{\"hostname\": \"box\", \"platform\": \"bare-metal-intel-igpu\", \"ram_mb\": 15949}"
            })
    void brokenOrForeignFile_isProbedAnew(String content) throws IOException {
        Files.createDirectories(path.getParent());
        Files.writeString(path, content);

        assertThat(file.read()).isEmpty();
        assertThat(file.current(Hosts.probe(), Hosts.host("rtx-4090")).accelerator())
                .isEqualTo(Accelerator.NVIDIA_GPU);
        assertThat(file.read()).isPresent();
    }

    /** Pitfall 31: setup probed and never saved the result. */
    @Test
    void firstAnswer_isStored() {
        HardwareReport report = file.current(Hosts.probe(), Hosts.host("strix-halo"));

        assertThat(file.read()).contains(report);
    }

    /** Pitfall 30: a stale file booked GPU memory as main memory. */
    @Test
    void otherBootOrKernelOrUnknown_isNotFresh() {
        HardwareReport report = Hosts.report("strix-halo");
        String kernel = "Linux version 6.16.1-generic";

        assertThat(HardwareFile.isFresh(report, BOOT, kernel)).isTrue();
        assertThat(HardwareFile.isFresh(report, "other", kernel)).isFalse();
        assertThat(HardwareFile.isFresh(report, BOOT, "Linux version 6.17.0")).isFalse();
        assertThat(HardwareFile.isFresh(report, null, kernel)).isFalse();
        assertThat(HardwareFile.isFresh(report, BOOT, null)).isFalse();
    }

    @Test
    void freshFile_isUsedWithoutProbing(@TempDir Path machine) {
        HostTree tree = HostTree.copyOf("strix-halo", machine);
        HardwareReport stored = file.current(Hosts.probe(), tree.host());
        tree.file("proc/meminfo", "MemTotal: 1048576 kB\n");

        assertThat(file.current(Hosts.probe(), tree.host())).isEqualTo(stored);
    }

    /** Pitfall 51: a container shares its host's boot id, and gets its devices when it is started again. */
    @Test
    void containerStartedAgain_isProbedAnew(@TempDir Path machine) {
        HostTree tree = HostTree.copyOf("strix-halo-lxc", machine).without("dev/kfd");
        assertThat(file.current(Hosts.probe(), tree.host()).kfd()).isEqualTo(NodeAccess.ABSENT);
        tree.file("dev/kfd", "")
                .file(
                        "proc/1/stat",
                        "1 (systemd) S 0 1 1 0 -1 4194560 100 0 0 0 5 5 0 0 20 0 1 0 990000 170000000 3000\n");

        HardwareReport report = file.current(Hosts.probe(), tree.host());

        assertThat(report.kfd()).isEqualTo(NodeAccess.USABLE);
        assertThat(report.bootId()).isEqualTo(BOOT + "/990000");
    }

    @Test
    void nameOfTheFirstProcess_mayHoldBrackets() {
        assertThat(Hosts.report("strix-halo-lxc-without-devices").bootId()).isEqualTo(BOOT + "/112233");
    }

    @Test
    void reportThatCannotBeStored_isStillGiven() throws IOException {
        Files.writeString(folder.resolve("etc"), "a file where a folder must be");

        assertThat(file.current(Hosts.probe(), Hosts.host("strix-halo")).accelerator())
                .isEqualTo(Accelerator.STRIX_HALO);
    }
}
