package dev.hal0.runtime.install;

import static dev.hal0.runtime.install.FakePackages.server;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.TomlDocument;
import dev.hal0.runtime.install.ClosureInstaller.Step;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The mirror has 2.0 now. */
class UnpinnedInstallTest extends GonePackages {
    private static final class Killed extends Error {
        private static final long serialVersionUID = 1L;
    }

    @Test
    void goneVersion_isReplacedByTheSuitesOwnMarkedUnpinned() throws IOException {
        archive().publish(mirror);

        Program program = installer().install(lock, progress::add);

        assertThat(program.version()).isEqualTo("2.0 (fake)");
        assertThat(program.source()).isEqualTo("unpinned");
        assertThat(program.workingDirectory()).hasValue(home().resolve("llama.cpp/2.0_unpinned/root/usr/lib/backends"));
        assertThat(installer().current("llama.cpp")).contains(program);
        assertThat(installer().list("llama.cpp"))
                .containsExactly(new InstalledVersion(
                        "llama.cpp", "2.0_unpinned", "2.0 (fake)", mirror.uri() + " forky unpinned", true));
        assertThat(progress)
                .anyMatch(line -> line.contains("1.0") && line.contains("is gone from every mirror"))
                .anyMatch(line -> line.contains("2.0 from " + mirror.uri() + ", unpinned"))
                .contains("Installed llama.cpp 2.0, unpinned");
        assertThat(home().resolve("downloads")).isEmptyDirectory();
        TomlDocument record =
                TomlDocument.parse("record", Files.readString(home().resolve("llama.cpp/2.0_unpinned/install.toml")));
        assertThat(record.bool(List.of("flags_known"))).contains(true);
        assertThat(record.strings(List.of("missing_flags"))).contains(List.of());
        assertThat(EngineLock.parse("record", record.text()).packages())
                .extracting(EngineLock.Pin::name)
                .containsExactly("libfake", "libother", "llama.cpp-tools");
    }

    @Test
    void onePackageGone_isEnoughAndNothingPinnedIsFetched() {
        archive().publish(mirror);
        mirror.put(OLD_LIBRARY, OLD_LIBRARY_FILE);

        assertThat(installer().install(lock, progress::add).source()).isEqualTo("unpinned");
        assertThat(mirror.downloads()).extracting(FakeMirror.Seen::path).doesNotContain(OLD_LIBRARY);
    }

    @Test
    void pinnedVersionOnTheMirror_isTakenAndNoIndexIsRead() {
        archive().publish(mirror);
        putPinned();

        assertThat(installer().install(lock, progress::add).source()).isEqualTo("installed");
        assertThat(mirror.seen()).extracting(FakeMirror.Seen::path).noneMatch(path -> path.startsWith("dists/"));
    }

    @Test
    void unpinnedVersionThatIsThere_isNotFetchedAgain() {
        archive().publish(mirror);
        Program first = installer().install(lock, progress::add);
        long packages = packagesFetched();

        assertThat(installer().install(lock, progress::add)).isEqualTo(first);
        assertThat(packagesFetched()).isEqualTo(packages);
        assertThat(home().resolve("downloads")).isEmptyDirectory();
    }

    @ParameterizedTest
    @ValueSource(ints = {403, 429, 500, 503})
    void mirrorThatDoesNotSayGone_getsNoOtherVersion(int status) {
        archive().publish(mirror);
        mirror.answer(OLD_LIBRARY, status);

        assertThatThrownBy(() -> installer().install(lock, progress::add))
                .isInstanceOf(Hal0Exception.class)
                .hasMessageContaining(String.valueOf(status));
        assertThat(mirror.seen()).extracting(FakeMirror.Seen::path).noneMatch(path -> path.startsWith("dists/"));
    }

    @Test
    void oneMirrorWithoutTheFilesAndOneUnreachable_getsNoOtherVersion() throws IOException {
        archive().publish(mirror);
        Files.createDirectories(folder.resolve("apt"));
        Files.writeString(
                folder.resolve("apt/sources.list"),
                "deb " + mirror.uri() + " forky main\ndeb http://127.0.0.1:1/debian forky main\n");

        assertThatThrownBy(() -> installer(Optional.empty(), step -> {}).install(lock, progress::add))
                .satisfies(code(ErrorCode.ENGINE_INSTALL_FAILED))
                .hasMessageContaining("cannot be reached");
        assertThat(mirror.downloads()).isEmpty();
    }

    @Test
    void cutConnection_isResumedAndGetsNoOtherVersion() {
        archive().publish(mirror);
        putPinned();
        mirror.cut(3);

        assertThat(installer().install(lock, progress::add).source()).isEqualTo("installed");
    }

    @Test
    void packageThatTheIndexListsAndTheMirrorLacks_isAnError() {
        archive().publish(mirror);
        mirror.remove("pool/main/libfake_2.deb");

        assertFails(ErrorCode.ENGINE_INSTALL_FAILED).hasMessageContaining("its own index");
        assertNothingInstalled();
    }

    @Test
    void unpinnedVersionThatLacksAFlag_isRefusedWithItsName() throws IOException {
        Program old = installOlder();
        archive(server("2.0", String.join(" ", EngineFlags.passed("llama.cpp")).replace("--log-colors", "--colours")))
                .publish(mirror);

        assertFails(ErrorCode.ENGINE_INSTALL_FAILED).hasMessageContaining("does not know --log-colors,");

        assertThat(installer().current("llama.cpp")).contains(old);
        assertThat(leftovers()).isEmpty();
    }

    @Test
    void unpinnedVersionThatDoesNotStart_leavesTheOldOneCurrent() throws IOException {
        Program old = installOlder();
        archive(FakePackages.serverScript("#!/bin/sh\nexit 132\n")).publish(mirror);

        assertFails(ErrorCode.ENGINE_INSTALL_FAILED).hasMessageContaining("does not start");

        assertThat(installer().current("llama.cpp")).contains(old);
        assertThat(leftovers()).isEmpty();
    }

    @Test
    void pinnedVersionWithAnotherHelp_isInstalledAndRecorded() throws IOException {
        byte[] quiet = server("1.0", "no help");
        mirror.put(OLD_LIBRARY, OLD_LIBRARY_FILE);
        mirror.put(OLD_SERVER, quiet);

        installer().install(lock("1.0", quiet), progress::add);

        TomlDocument record =
                TomlDocument.parse("record", Files.readString(home().resolve("llama.cpp/1.0/install.toml")));
        assertThat(record.bool(List.of("flags_known"))).contains(false);
        assertThat(record.strings(List.of("missing_flags"))).contains(EngineFlags.passed("llama.cpp"));
    }

    @ParameterizedTest
    @EnumSource(Step.class)
    void killAtAnyStep_leavesNothingHalfAndNextInstallSucceeds(Step last) throws IOException {
        archive().publish(mirror);
        var killed = installer(Optional.of(mirror.uri()), step -> {
            if (step == last) {
                throw new Killed();
            }
        });

        assertThatThrownBy(() -> killed.install(lock, progress::add)).isInstanceOf(Killed.class);

        assertThat(installer().current("llama.cpp").isPresent()).isEqualTo(last == Step.SWITCHED);
        assertThat(installer().install(lock, progress::add).version()).isEqualTo("2.0 (fake)");
        assertThat(installer().list("llama.cpp")).hasSize(1);
        assertThat(leftovers()).isEmpty();
        assertThat(packagesFetched())
                .as("nothing that arrived is fetched again")
                .isEqualTo(3);
    }
}
