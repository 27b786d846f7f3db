package dev.hal0.runtime.install;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hal0.kernel.CommandOptions;
import dev.hal0.kernel.Commands;
import dev.hal0.kernel.DurableFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/** From this machine's own mirror; as root and as an ordinary user alike. */
@EnabledIfSystemProperty(named = "hal0.test.engines", matches = "true")
class RealClosureTest {
    @TempDir
    Path home;

    @Test
    void pinnedClosure_installsAndLoadsItsBackends() throws Exception {
        var engines = new InstalledEngines(
                home,
                new DurableFiles(),
                Map.of(),
                Optional.empty(),
                Path.of("/etc/apt"),
                Map.of(),
                new Program(List.of("unused"), Map.of(), Optional.empty(), "", "built-in"));

        Program program = engines.install("llama.cpp", System.out::println);

        assertThat(program.version()).isNotBlank();
        assertThat(engines.find("llama.cpp")).contains(program);
        var argv = new ArrayList<>(program.command());
        // A model that is not there: everything up to opening it has to work.
        argv.addAll(List.of("--model", "/absent.gguf", "--port", "0"));
        var result = new Commands()
                .run(
                        argv,
                        CommandOptions.within(Duration.ofSeconds(30))
                                .withWorkingDirectory(program.workingDirectory().orElseThrow()));
        assertThat(result.stdout() + result.stderr())
                .contains("/absent.gguf")
                .doesNotContain("error while loading shared libraries");
        Path documents = home.resolve("llama.cpp")
                .resolve(engines.list("llama.cpp").getFirst().version())
                .resolve("root/usr/share/doc");
        for (EngineLock.Pin pin : EngineLock.shipped("llama.cpp", EngineLock.machineArchitecture())
                .orElseThrow()
                .packages()) {
            assertThat(Files.exists(documents.resolve(pin.name()).resolve("copyright")))
                    .as("licence notice of " + pin.name())
                    .isTrue();
        }
    }

    @Test
    void goneClosure_isReplacedByTheSignedIndexOfThisMachinesMirror() {
        EngineLock lock = EngineLock.shipped("llama.cpp", EngineLock.machineArchitecture())
                .orElseThrow();
        EngineLock gone = EngineLock.parse("gone", lock.text().replaceAll("(path = \".*)_[^_]*_", "$1_0.0_"));
        var installer = new ClosureInstaller(
                home,
                new DurableFiles(),
                new PackageSources(Optional.empty(), Path.of("/etc/apt"), Optional.empty(), Optional.empty()),
                Map.of(),
                ClosureInstaller.Tuning.DEFAULT);

        Program program = installer.install(gone, System.out::println);

        assertThat(program.source()).isEqualTo("unpinned");
        assertThat(program.version()).isNotBlank();
        assertThat(installer.list("llama.cpp"))
                .singleElement()
                .satisfies(version -> assertThat(version.source()).endsWith("unpinned"));
    }
}
