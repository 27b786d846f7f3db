package dev.hal0.runtime.install;

import static dev.hal0.runtime.install.FakePackages.library;
import static dev.hal0.runtime.install.FakePackages.server;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.hal0.kernel.DurableFiles;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.runtime.install.ClosureInstaller.Step;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** The pinned packages of version 1.0 are gone from the mirror; what it has now, the test says. */
abstract class GonePackages {
    static final String OLD_LIBRARY = "pool/main/libfake_1.deb";
    static final String OLD_SERVER = "pool/main/llama.cpp-tools_1.0.deb";
    static final byte[] OLD_LIBRARY_FILE = library();
    static final byte[] OLD_SERVER_FILE = server("1.0");

    @TempDir
    Path folder;

    final FakeMirror mirror = new FakeMirror();
    final List<String> progress = new CopyOnWriteArrayList<>();
    final EngineLock lock = lock();

    @BeforeEach
    void writeKeyring() throws IOException {
        Files.createDirectories(home());
        SignedArchive.writeKeyring(keyring());
    }

    @AfterEach
    void closeMirror() {
        mirror.close();
    }

    static SignedArchive archive(String... lines) {
        return archive(
                server("2.0"),
                lines.length > 0
                        ? lines
                        : new String[] {
                            "Pre-Depends: debconf (>= 0.5) | debconf-2.0",
                            "Depends: libfake (>= 2), wget, virtual-library:any | absent"
                        });
    }

    static SignedArchive archive(byte[] server) {
        return archive(server, "Depends: libfake");
    }

    static SignedArchive archive(byte[] server, String... lines) {
        return new SignedArchive()
                .with("llama.cpp-tools", "1:2.0", server, lines)
                .with("libfake", "2", library())
                .with("libunused", "1", library(), "Depends: libunheard-of")
                .with(
                        "libother",
                        "3",
                        new DebBuilder().file("./usr/lib/other", 0644, "x").build(),
                        "Provides: virtual-library (= 1), another")
                .with("libsecond", "3", library(), "Provides: virtual-library");
    }

    Program installOlder() {
        byte[] older = server("0.9");
        mirror.put(OLD_LIBRARY, OLD_LIBRARY_FILE);
        mirror.put(OLD_SERVER, older);
        Program program = installer().install(lock("0.9", older), progress::add);
        mirror.remove(OLD_LIBRARY);
        mirror.remove(OLD_SERVER);
        return program;
    }

    void putPinned() {
        mirror.put(OLD_LIBRARY, OLD_LIBRARY_FILE);
        mirror.put(OLD_SERVER, OLD_SERVER_FILE);
    }

    void bundle(String name, byte[] deb) throws IOException {
        Path bundle = Files.createDirectories(folder.resolve("bundles/llama.cpp"));
        Files.write(bundle.resolve(name), deb);
    }

    static EngineLock lock() {
        return lock("1.0", OLD_SERVER_FILE);
    }

    static EngineLock lock(String version, byte[] server) {
        return EngineLock.parse(
                "test.lock.toml",
                """
                engine = "llama.cpp"
                version = "%s"
                suite = "forky"
                architecture = "%s"
                loader = "usr/lib/ld.so"
                library_path = ["usr/lib"]
                executable = "usr/bin/llama-server"
                working_directory = "usr/lib/backends"
                """.formatted(version, EngineLock.machineArchitecture())
                        + pin(OLD_LIBRARY, OLD_LIBRARY_FILE)
                        + pin(OLD_SERVER, server));
    }

    static String pin(String path, byte[] deb) {
        return """
                [[package]]
                name = "x"
                version = "1"
                path = "%s"
                size = %d
                sha256 = "%s"
                """.formatted(path, deb.length, FakePackages.sha256(deb));
    }

    ClosureInstaller installer() {
        return installer(Optional.of(mirror.uri()), step -> {});
    }

    ClosureInstaller installer(Optional<URI> from, Consumer<Step> reached) {
        return new ClosureInstaller(
                home(),
                new DurableFiles(),
                new PackageSources(
                        from, folder.resolve("apt"), Optional.of(folder.resolve("bundles")), Optional.of(keyring())),
                Map.of(),
                new ClosureInstaller.Tuning(
                        Duration.ofSeconds(10), Duration.ofNanos(1), Duration.ofSeconds(20), reached));
    }

    AbstractThrowableAssert<?, ?> assertFails(ErrorCode code) {
        return assertThatThrownBy(() -> installer().install(lock, progress::add))
                .satisfies(code(code));
    }

    static Consumer<Throwable> code(ErrorCode expected) {
        return failure -> assertThat(failure)
                .isInstanceOfSatisfying(
                        Hal0Exception.class, hal0 -> assertThat(hal0.code()).isEqualTo(expected));
    }

    void assertNothingInstalled() {
        assertThat(installer().current("llama.cpp")).isEmpty();
        assertThat(installer().list("llama.cpp")).isEmpty();
        assertThat(leftovers()).isEmpty();
    }

    long packagesFetched() {
        return mirror.downloads().stream()
                .filter(request -> request.path().startsWith("pool/"))
                .count();
    }

    List<String> leftovers() {
        try (var entries = Files.list(home().resolve("llama.cpp"))) {
            return entries.map(entry -> entry.getFileName().toString())
                    .filter(name -> name.startsWith("."))
                    .toList();
        } catch (IOException failure) {
            throw new AssertionError(failure);
        }
    }

    Path home() {
        return folder.resolve("engines");
    }

    Path keyring() {
        return folder.resolve("keyring.gpg");
    }
}
