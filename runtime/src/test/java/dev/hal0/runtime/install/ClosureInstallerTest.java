package dev.hal0.runtime.install;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.hal0.kernel.DurableFiles;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.runtime.install.ClosureInstaller.Step;
import java.io.IOException;
import java.net.URI;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ClosureInstallerTest {
    /** Ends an install as SIGKILL would: nothing that the installer catches sees it. */
    private static final class Killed extends Error {
        private static final long serialVersionUID = 1L;
    }

    private static final String LIBRARY = "pool/main/l/library/library++_1_amd64.deb";
    private static final String SERVER = "pool/main/s/server/server_1_amd64.deb";

    @TempDir
    Path home;

    private final FakeMirror mirror = new FakeMirror();
    private final List<String> progress = new CopyOnWriteArrayList<>();

    @AfterEach
    void closeMirror() {
        mirror.close();
    }

    @Test
    void twoPackages_areUnpackedStartedAndMadeCurrent() throws IOException {
        EngineLock lock = publish("1.0", FakePackages.library(), FakePackages.server("1.0"));

        Program program = installer().install(lock, progress::add);

        assertThat(program.version()).isEqualTo("1.0 (fake)");
        assertThat(program.source()).isEqualTo("installed");
        assertThat(program.workingDirectory()).hasValue(home.resolve("llama.cpp/1.0/root/usr/lib/backends"));
        assertThat(installer().current("llama.cpp")).contains(program);
        assertThat(home.resolve("llama.cpp/current")).hasContent("1.0");
        assertThat(progress)
                .containsSubsequence("Unpacking llama.cpp 1.0", "Checking that it starts", "Installed llama.cpp 1.0")
                .anyMatch(line -> line.startsWith("Downloaded 2 of 2 packages, "));
        assertThat(home.resolve("downloads")).isEmptyDirectory();
        assertThat(installer().list("llama.cpp"))
                .containsExactly(new InstalledVersion("llama.cpp", "1.0", "1.0 (fake)", mirror.uri() + " forky", true));
    }

    @Test
    void unpackedFiles_haveSafeModesAndNoManuals() throws IOException {
        byte[] odd = new DebBuilder()
                .file("./usr/bin/setuid", 04755, "x")
                .file("./usr/lib/open", 0666, "x")
                .file("./usr/share/man/man1/a.1", 0644, "x")
                .file("./usr/share/doc/a/copyright", 0644, "free")
                .link("./usr/lib/absolute", "/usr/lib/open")
                .build();

        installer().install(publish("1.0", odd, FakePackages.server("1.0"), FakePackages.library()), progress::add);

        Path root = home.resolve("llama.cpp/1.0/root");
        assertThat(mode(root.resolve("usr/bin/setuid"))).isEqualTo("rwxr-xr-x");
        assertThat(mode(root.resolve("usr/lib/open"))).isEqualTo("rw-r--r--");
        assertThat(root.resolve("usr/share/man")).doesNotExist();
        assertThat(root.resolve("usr/share/doc/a/copyright")).hasContent("free");
        assertThat(Files.readSymbolicLink(root.resolve("usr/lib/absolute"))).isEqualTo(Path.of("open"));
    }

    @Test
    void installedVersion_isNotFetchedAgain() {
        EngineLock lock = publish("1.0", FakePackages.library(), FakePackages.server("1.0"));
        installer().install(lock, progress::add);

        installer().install(lock, progress::add);

        assertThat(mirror.downloads()).hasSize(2);
    }

    @Test
    void cutConnection_isResumedWhereItBroke() {
        EngineLock lock = publish("1.0", FakePackages.library(), FakePackages.server("1.0"));
        mirror.cut(1);

        installer().install(lock, progress::add);

        assertThat(mirror.downloads()).hasSize(3);
        assertThat(mirror.downloads().get(1).range()).matches("bytes=[1-9][0-9]*-");
    }

    @Test
    void cutConnectionOfMirrorWithoutRanges_startsOver() {
        EngineLock lock = publish("1.0", FakePackages.library(), FakePackages.server("1.0"));
        mirror.cut(1);
        mirror.ignoreRanges();

        assertThat(installer().install(lock, progress::add).version()).isEqualTo("1.0 (fake)");
    }

    @Test
    void mirrorThatAlwaysCuts_failsAfterBoundedTriesAndNextInstallResumes() {
        EngineLock lock = publish("1.0", FakePackages.library(), FakePackages.server("1.0"));
        mirror.cut(Integer.MAX_VALUE);

        assertFails(lock, ErrorCode.ENGINE_INSTALL_FAILED).hasMessageContaining("resumes");

        mirror.cut(0);
        int before = mirror.downloads().size();
        installer().install(lock, progress::add);
        assertThat(mirror.downloads().get(before).range()).startsWith("bytes=");
    }

    @Test
    void redirect_isFollowed() {
        EngineLock lock = publish("1.0", FakePackages.library(), FakePackages.server("1.0"));

        assertThat(installer(Optional.of(mirror.uri("moved")), step -> {})
                        .install(lock, progress::add)
                        .version())
                .isEqualTo("1.0 (fake)");
    }

    @Test
    void otherBytesThanPinned_areRefusedAndDiscarded() {
        EngineLock lock = publish("1.0", FakePackages.library(), FakePackages.server("1.0"));
        byte[] other = FakePackages.server("6.6");
        mirror.put(SERVER, java.util.Arrays.copyOf(other, (int)
                lock.packages().get(1).size()));

        assertFails(lock, ErrorCode.ENGINE_INSTALL_FAILED).hasMessageContaining("SHA-256");

        assertThat(installer().current("llama.cpp")).isEmpty();
        assertThat(home.resolve("downloads/" + lock.packages().get(1).sha256() + ".deb.part"))
                .doesNotExist();
    }

    @Test
    void foreignBytesInPart_areFetchedAnew() throws IOException {
        EngineLock lock = publish("1.0", FakePackages.library(), FakePackages.server("1.0"));
        Files.createDirectories(home.resolve("downloads"));
        Files.writeString(home.resolve("downloads/" + lock.packages().getFirst().sha256() + ".deb.part"), "garbage");

        assertThat(installer().install(lock, progress::add).version()).isEqualTo("1.0 (fake)");
    }

    @Test
    void downloadsOfAnotherVersion_areRemoved() throws IOException {
        EngineLock lock = publish("1.0", FakePackages.library(), FakePackages.server("1.0"));
        Files.createDirectories(home.resolve("downloads"));
        Files.writeString(home.resolve("downloads/" + "0".repeat(64) + ".deb.part"), "half of an old package");

        installer().install(lock, progress::add);

        assertThat(home.resolve("downloads")).isEmptyDirectory();
    }

    @Test
    void mirrorWithoutTheFiles_namesBothWaysOut() {
        EngineLock lock = publish("1.0", FakePackages.library(), FakePackages.server("1.0"));
        mirror.remove(LIBRARY);

        assertFails(lock, ErrorCode.ENGINE_MIRROR_UNSUITABLE)
                .hasMessageContainingAll("[engines].mirror", "llama-server on PATH", "404");
    }

    @Test
    void fileMissingOnTheWay_namesBothWaysOut() {
        EngineLock lock = publish("1.0", FakePackages.library(), FakePackages.server("1.0"));
        mirror.remove(SERVER);

        assertFails(lock, ErrorCode.ENGINE_MIRROR_UNSUITABLE)
                .hasMessageContainingAll("[engines].mirror", "llama-server on PATH", SERVER);
    }

    @Test
    void unreachableMirror_saysSo() {
        EngineLock lock = publish("1.0", FakePackages.library(), FakePackages.server("1.0"));
        mirror.close();

        assertFails(lock, ErrorCode.ENGINE_INSTALL_FAILED).hasMessageContaining("cannot be reached");
    }

    @Test
    void machineWithoutAptSources_namesBothWaysOut() {
        EngineLock lock = publish("1.0", FakePackages.library(), FakePackages.server("1.0"));

        assertThatThrownBy(() -> installer(Optional.empty(), step -> {}).install(lock, progress::add))
                .hasMessageContainingAll("[engines].mirror", "llama-server on PATH");
    }

    @Test
    void aptSourceThatHasTheFiles_isUsed() throws IOException {
        EngineLock lock = publish("1.0", FakePackages.library(), FakePackages.server("1.0"));
        Files.createDirectories(home.resolve("apt"));
        Files.writeString(
                home.resolve("apt/sources.list"),
                "deb " + mirror.uri("other") + " stable main\ndeb " + mirror.uri() + "/ stable main\n");

        Program program = installer(Optional.empty(), step -> {}).install(lock, progress::add);

        assertThat(program.version()).isEqualTo("1.0 (fake)");
    }

    @Test
    void programThatDoesNotStart_leavesTheOldVersionCurrent() {
        Program old =
                installer().install(publish("1.0", FakePackages.library(), FakePackages.server("1.0")), progress::add);
        EngineLock broken = publish(
                "2.0",
                FakePackages.library(),
                FakePackages.serverScript("#!/bin/sh\necho no such instruction >&2\nexit 132\n"));

        assertFails(broken, ErrorCode.ENGINE_INSTALL_FAILED).hasMessageContaining("no such instruction");

        assertThat(installer().current("llama.cpp")).contains(old);
        assertThat(leftovers()).isEmpty();
    }

    @Test
    void threeVersionsInTurn_keepTheLastTwo() {
        for (String version : List.of("1.0", "2.0", "3.0")) {
            installer().install(publish(version, FakePackages.library(), FakePackages.server(version)), progress::add);
        }

        assertThat(installer().list("llama.cpp"))
                .extracting(InstalledVersion::version, InstalledVersion::current)
                .containsExactlyInAnyOrder(
                        org.assertj.core.groups.Tuple.tuple("3.0", true),
                        org.assertj.core.groups.Tuple.tuple("2.0", false));
    }

    @Test
    void sameVersionWithAnotherLibrary_isInstalledBesideIt() {
        installer().install(publish("1.0", FakePackages.library(), FakePackages.server("1.0")), progress::add);

        installer()
                .install(
                        publish(
                                "1.0",
                                new DebBuilder()
                                        .file("./usr/lib/new", 0644, "x")
                                        .build(),
                                FakePackages.library(),
                                FakePackages.server("1.0")),
                        progress::add);

        assertThat(installer().list("llama.cpp"))
                .hasSize(2)
                .filteredOn(InstalledVersion::current)
                .singleElement()
                .satisfies(current -> assertThat(current.version()).startsWith("1.0_"));
    }

    @Test
    void currentVersionRemoved_isFollowedByTheOneBefore() {
        for (String version : List.of("1.0", "2.0")) {
            installer().install(publish(version, FakePackages.library(), FakePackages.server(version)), progress::add);
        }

        assertThatThrownBy(() -> installer().remove("llama.cpp", "..")).satisfies(code(ErrorCode.ENGINE_UNKNOWN));
        installer().remove("llama.cpp", "2.0");

        assertThat(installer().list("llama.cpp"))
                .singleElement()
                .satisfies(left -> assertThat(left.version()).isEqualTo("1.0"))
                .satisfies(left -> assertThat(left.current()).isTrue());
        installer().remove("llama.cpp", "1.0");
        assertThat(installer().current("llama.cpp")).isEmpty();
        assertThat(installer().list("llama.cpp")).isEmpty();
    }

    @Test
    void versionThatAProcessRunsFrom_isNotRemoved() throws Exception {
        Program program =
                installer().install(publish("1.0", FakePackages.library(), FakePackages.server("1.0")), progress::add);
        var command = List.of("/bin/sh", "-c", "read line", program.command().getLast());
        Process running = new ProcessBuilder(command).start();
        try {
            assertThatThrownBy(() -> installer().remove("llama.cpp", "1.0"))
                    .satisfies(code(ErrorCode.ENGINE_IN_USE))
                    .hasMessageContaining(Long.toString(running.pid()));
        } finally {
            running.destroyForcibly().waitFor();
        }
        installer().remove("llama.cpp", "1.0");
        assertThat(installer().list("llama.cpp")).isEmpty();
    }

    @Test
    void damagedVersion_isInstalledAnew() throws IOException {
        EngineLock lock = publish("1.0", FakePackages.library(), FakePackages.server("1.0"));
        installer().install(lock, progress::add);
        Files.delete(home.resolve("llama.cpp/1.0/root/usr/bin/llama-server"));
        assertThat(installer().current("llama.cpp")).isEmpty();

        assertThat(installer().install(lock, progress::add).version()).isEqualTo("1.0 (fake)");
        assertThat(installer().current("llama.cpp")).isPresent();
    }

    @ParameterizedTest
    @EnumSource(value = Step.class, mode = EnumSource.Mode.EXCLUDE, names = "RESOLVED")
    void killAtAnyStep_leavesNothingHalfAndNextInstallSucceeds(Step last) {
        EngineLock lock = publish("1.0", FakePackages.library(), FakePackages.server("1.0"));
        var killed = installer(Optional.of(mirror.uri()), step -> {
            if (step == last) {
                throw new Killed();
            }
        });

        assertThatThrownBy(() -> killed.install(lock, progress::add)).isInstanceOf(Killed.class);

        assertThat(Files.exists(home.resolve("llama.cpp/current"))).isEqualTo(last == Step.SWITCHED);
        assertThat(installer().current("llama.cpp").isPresent()).isEqualTo(last == Step.SWITCHED);
        assertThat(installer().install(lock, progress::add).version()).isEqualTo("1.0 (fake)");
        assertThat(installer().current("llama.cpp")).isPresent();
        assertThat(leftovers()).isEmpty();
        assertThat(mirror.downloads())
                .as("nothing that arrived is fetched again")
                .hasSize(2);
    }

    @Test
    void twoCallersAtOnce_shareOneDownload() throws Exception {
        EngineLock lock = publish("1.0", FakePackages.library(), FakePackages.server("1.0"));
        var begun = new CountDownLatch(1);
        var goOn = new CountDownLatch(1);
        var shared = installer(Optional.of(mirror.uri()), step -> {
            if (step == Step.LOCKED) {
                begun.countDown();
                await(goOn);
            }
        });
        var heard = new CopyOnWriteArrayList<String>();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var first = CompletableFuture.supplyAsync(() -> shared.install(lock, progress::add), threads);
            await(begun);
            var second = CompletableFuture.supplyAsync(() -> shared.install(lock, heard::add), threads);
            goOn.countDown();

            assertThat(second.get()).isEqualTo(first.get());
        }
        assertThat(mirror.downloads()).hasSize(2);
    }

    @Test
    void twoObjectsAtOnce_waitForEachOther() throws Exception {
        EngineLock lock = publish("1.0", FakePackages.library(), FakePackages.server("1.0"));
        var waiting = new CountDownLatch(1);
        var first = installer(Optional.of(mirror.uri()), step -> {
            if (step == Step.LOCKED) {
                await(waiting);
            }
        });
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var one = CompletableFuture.supplyAsync(() -> first.install(lock, progress::add), threads);
            var two = CompletableFuture.supplyAsync(
                    () -> installer(Optional.of(mirror.uri()), step -> {}).install(lock, sentence -> {
                        if (sentence.startsWith("Waiting")) {
                            waiting.countDown();
                        }
                    }),
                    threads);
            // Whoever came first: the other one either waited or found it done.
            two.thenRun(waiting::countDown);

            assertThat(one.get()).isEqualTo(two.get());
        }
        assertThat(mirror.downloads()).hasSize(2);
    }

    @Test
    void cancelledLeader_letsTheSecondCallerGoOn() throws Exception {
        EngineLock lock = publish("1.0", FakePackages.library(), FakePackages.server("1.0"));
        var begun = new CountDownLatch(1);
        var goOn = new CountDownLatch(1);
        var leader = new CompletableFuture<Thread>();
        var shared = installer(Optional.of(mirror.uri()), step -> {
            if (step == Step.LOCKED && leader.complete(Thread.currentThread())) {
                begun.countDown();
                await(goOn);
                Thread.currentThread().interrupt();
            }
        });
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var first = CompletableFuture.supplyAsync(() -> shared.install(lock, progress::add), threads);
            await(begun);
            var second = CompletableFuture.supplyAsync(() -> shared.install(lock, progress::add), threads);
            goOn.countDown();

            assertThat(second.get().version()).isEqualTo("1.0 (fake)");
            assertThatThrownBy(first::get).cause().satisfies(code(ErrorCode.OPERATION_CANCELLED));
        }
    }

    @Test
    void lockOfAnotherProgram_isWaitedFor() throws Exception {
        EngineLock lock = publish("1.0", FakePackages.library(), FakePackages.server("1.0"));
        Files.createDirectories(home);
        try (var channel =
                FileChannel.open(home.resolve(".install.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            var held = channel.lock();

            Program program = installer().install(lock, sentence -> {
                if (sentence.startsWith("Waiting")) {
                    release(held);
                }
            });

            assertThat(program.version()).isEqualTo("1.0 (fake)");
        }
    }

    @ParameterizedTest
    @EnumSource(Attack.class)
    void hostilePackage_isRefusedAndWritesNothingOutside(Attack attack) {
        EngineLock lock = publish("1.0", attack.deb(), FakePackages.library(), FakePackages.server("1.0"));

        assertFails(lock, ErrorCode.ENGINE_INSTALL_FAILED);

        assertThat(installer().current("llama.cpp")).isEmpty();
        assertThat(home.resolve("llama.cpp/evil")).doesNotExist();
        assertThat(home.resolve("evil")).doesNotExist();
        assertThat(leftovers()).isEmpty();
    }

    enum Attack {
        CLIMBING_NAME {
            @Override
            byte[] deb() {
                return new DebBuilder().file("./../../evil", 0644, "x").build();
            }
        },
        CLIMBING_AND_BACK {
            @Override
            byte[] deb() {
                return new DebBuilder().file("./usr/../../root/evil", 0644, "x").build();
            }
        },
        ABSOLUTE_NAME {
            @Override
            byte[] deb() {
                return new DebBuilder().file("/tmp/hal0-evil", 0644, "x").build();
            }
        },
        LINK_OUTSIDE {
            @Override
            byte[] deb() {
                return new DebBuilder().link("./usr/lib/out", "../../../../..").build();
            }
        },
        LINK_OUTSIDE_THROUGH_LINKS {
            @Override
            byte[] deb() {
                return new DebBuilder()
                        .folder("./a/b")
                        .link("./a/b/top", "../..")
                        .link("./out", "a/b/top/..")
                        .build();
            }
        },
        FILE_THROUGH_LINK {
            @Override
            byte[] deb() {
                return new DebBuilder()
                        .folder("./real")
                        .link("./door", "real")
                        .file("./door/evil", 0644, "x")
                        .build();
            }
        },
        HARD_LINK_OUTSIDE {
            @Override
            byte[] deb() {
                return new DebBuilder()
                        .special("./passwords", TarConstants.LF_LINK, "../../../../etc/passwd")
                        .build();
            }
        },
        DEVICE {
            @Override
            byte[] deb() {
                return new DebBuilder()
                        .special("./dev/sda", TarConstants.LF_BLK, "")
                        .build();
            }
        },
        NO_PACKAGE {
            @Override
            byte[] deb() {
                return "<html>log in to the hotel network</html>".getBytes(java.nio.charset.StandardCharsets.UTF_8);
            }
        };

        abstract byte[] deb();
    }

    private ClosureInstaller installer() {
        return installer(Optional.of(mirror.uri()), step -> {});
    }

    private ClosureInstaller installer(Optional<URI> from, Consumer<Step> reached) {
        return new ClosureInstaller(
                home,
                new DurableFiles(),
                new PackageSources(
                        from, home.resolve("apt"), Optional.empty(), Optional.of(home.resolve("no-keyring"))),
                Map.of(),
                new ClosureInstaller.Tuning(
                        Duration.ofSeconds(10), Duration.ofNanos(1), Duration.ofSeconds(20), reached));
    }

    private org.assertj.core.api.AbstractThrowableAssert<?, ?> assertFails(EngineLock lock, ErrorCode code) {
        return assertThatThrownBy(() -> installer().install(lock, progress::add))
                .satisfies(code(code));
    }

    private static Consumer<Throwable> code(ErrorCode expected) {
        return failure -> assertThat(failure)
                .isInstanceOfSatisfying(
                        Hal0Exception.class, hal0 -> assertThat(hal0.code()).isEqualTo(expected));
    }

    private EngineLock publish(String version, byte[]... debs) {
        var packages = new LinkedHashMap<String, byte[]>();
        for (int index = 0; index < debs.length; index++) {
            packages.put(
                    index == 0 ? LIBRARY : index == 1 ? SERVER : "pool/main/o/other_" + index + ".deb", debs[index]);
        }
        var text = new ArrayList<String>(List.of(
                "engine = \"llama.cpp\"",
                "version = \"" + version + "\"",
                "suite = \"forky\"",
                "architecture = \"" + (System.getProperty("os.arch").equals("aarch64") ? "arm64" : "amd64") + "\"",
                "loader = \"usr/lib/ld.so\"",
                "library_path = [\"usr/lib\"]",
                "executable = \"usr/bin/llama-server\"",
                "working_directory = \"usr/lib/backends\""));
        packages.forEach((path, deb) -> {
            mirror.put(path, deb);
            text.addAll(List.of(
                    "[[package]]",
                    "name = \"x\"",
                    "version = \"1\"",
                    "path = \"" + path + "\"",
                    "size = " + deb.length,
                    "sha256 = \"" + FakePackages.sha256(deb) + "\""));
        });
        return EngineLock.parse("test.lock.toml", String.join("\n", text) + "\n");
    }

    private List<String> leftovers() {
        try (var entries = Files.list(home.resolve("llama.cpp"))) {
            return entries.map(entry -> entry.getFileName().toString())
                    .filter(name -> name.startsWith("."))
                    .toList();
        } catch (IOException failure) {
            throw new AssertionError(failure);
        }
    }

    private static String mode(Path file) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(20, java.util.concurrent.TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException cancelled) {
            throw new AssertionError(cancelled);
        }
    }

    private static void release(java.nio.channels.FileLock held) {
        try {
            held.release();
        } catch (IOException failure) {
            throw new AssertionError(failure);
        }
    }
}
