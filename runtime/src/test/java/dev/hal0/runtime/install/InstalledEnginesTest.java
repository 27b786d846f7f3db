package dev.hal0.runtime.install;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.hal0.kernel.DurableFiles;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InstalledEnginesTest {
    private static final Program STARTER = new Program(List.of("java"), Map.of(), Optional.empty(), "1", "built-in");

    @TempDir
    Path home;

    @Test
    void starter_isTheOneThatShipsWithHal0() {
        assertThat(engines(Optional.empty(), "").find("starter")).contains(STARTER);
        assertThat(engines(Optional.empty(), "").install("starter", sentence -> {}))
                .isEqualTo(STARTER);
    }

    @Test
    void programOnPath_isFoundWithItsVersion() throws IOException {
        Path program = executable("bin/llama-server", "4589 (abc)");

        assertThat(engines(Optional.empty(), "relative::" + home.resolve("absent") + ":" + home.resolve("bin"))
                        .find("llama.cpp"))
                .contains(new Program(List.of(program.toString()), Map.of(), Optional.empty(), "4589 (abc)", "path"));
    }

    @Test
    void configuredProgram_winsOverPath() throws IOException {
        executable("bin/llama-server", "1");
        Path configured = executable("own/server", "2");

        assertThat(engines(Optional.of(configured), home.resolve("bin").toString())
                        .find("llama.cpp"))
                .get()
                .extracting(Program::version, Program::source)
                .containsExactly("2", "config");
    }

    @Test
    void configuredProgramThatIsMissing_isNotReplacedSilently() throws IOException {
        executable("bin/llama-server", "1");

        assertThat(engines(
                                Optional.of(home.resolve("gone")),
                                home.resolve("bin").toString())
                        .find("llama.cpp"))
                .get()
                .extracting(Program::source)
                .isEqualTo("config");
    }

    @Test
    void replacedProgram_isAskedForItsVersionAgain() throws IOException {
        Path program = executable("bin/llama-server", "1");
        var engines = engines(Optional.empty(), home.resolve("bin").toString());
        engines.find("llama.cpp");

        executable("bin/llama-server", "2222");

        assertThat(engines.find("llama.cpp")).get().extracting(Program::version).isEqualTo("2222");
    }

    @Test
    void emptyMachine_hasNothingInstalled() {
        var engines = engines(Optional.empty(), "");

        assertThat(engines.find("llama.cpp")).isEmpty();
        assertThat(engines.find("unheard-of")).isEmpty();
        assertThat(engines.list("llama.cpp")).isEmpty();
    }

    @Test
    void engineWithoutPackages_saysWhatToDo() {
        assertThatThrownBy(() -> engines(Optional.empty(), "").install("whisper.cpp", sentence -> {}))
                .hasMessageContainingAll("whisper-server on PATH", "[engines].whisper_server")
                .extracting(failure -> ((Hal0Exception) failure).code())
                .isEqualTo(ErrorCode.ENGINE_NOT_INSTALLED);
        assertThatThrownBy(() -> engines(Optional.empty(), "").install("../etc", sentence -> {}))
                .extracting(failure -> ((Hal0Exception) failure).code())
                .isEqualTo(ErrorCode.ENGINE_UNKNOWN);
    }

    @Test
    void shippedLock_isComplete() {
        EngineLock lock = EngineLock.shipped("llama.cpp", EngineLock.machineArchitecture())
                .orElseThrow();

        assertThat(lock.packages()).extracting(EngineLock.Pin::name).contains("llama.cpp-tools", "libc6", "libggml0");
        assertThat(lock.packages()).allMatch(pin -> pin.path().startsWith("pool/"));
    }

    @Test
    void everyArchitecture_hasALockOfItsOwn() {
        EngineLock arm = EngineLock.shipped("llama.cpp", "arm64").orElseThrow();

        assertThat(arm.architecture()).isEqualTo("arm64");
        assertThat(arm.loader()).endsWith("ld-linux-aarch64.so.1");
        assertThat(arm.packages()).allMatch(pin -> pin.path().endsWith("_arm64.deb"));
        assertThat(EngineLock.shipped("llama.cpp", "amd64").orElseThrow().architecture())
                .isEqualTo("amd64");
    }

    @Test
    void architectureWithoutALock_saysWhatToDo() {
        assertThatThrownBy(() -> InstalledEngines.lock("llama.cpp", "riscv64"))
                .hasMessageContainingAll("amd64 and arm64", "riscv64", "llama-server on PATH")
                .extracting(failure -> ((Hal0Exception) failure).code())
                .isEqualTo(ErrorCode.ENGINE_NOT_INSTALLED);
    }

    private InstalledEngines engines(Optional<Path> configured, String path) {
        return new InstalledEngines(
                home.resolve("engines"),
                new DurableFiles(),
                configured
                        .<Map<String, Path>>map(program -> Map.of("llama.cpp", program))
                        .orElseGet(Map::of),
                Optional.of(URI.create("http://127.0.0.1:1/debian")),
                home.resolve("apt"),
                Map.of("PATH", path),
                STARTER);
    }

    private Path executable(String name, String version) throws IOException {
        Path file = home.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, "#!/bin/sh\necho 'version: " + version + "' >&2\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
        return file;
    }
}
