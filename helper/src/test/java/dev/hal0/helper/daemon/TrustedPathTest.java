package dev.hal0.helper.daemon;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.hal0.kernel.Hal0Exception;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrustedPathTest {
    @TempDir
    Path given;

    private Path folder;
    private TrustedPath trust;

    @BeforeEach
    void ownFolder() throws IOException {
        folder = given.toRealPath();
        trust = new TrustedPath((Integer) Files.getAttribute(folder, "unix:uid"));
    }

    private Path file(String mode) throws IOException {
        Path file = Files.writeString(folder.resolve("helper.toml"), "");
        return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(mode));
    }

    @Test
    void ownFile_isTrusted() throws IOException {
        Path file = file("rw-r--r--");

        assertThatCode(() -> trust.requireOwned(file)).doesNotThrowAnyException();
    }

    @Test
    void fileThatOthersMayWrite_isNotTrusted() throws IOException {
        Path file = file("rw-rw-r--");

        assertThatThrownBy(() -> trust.requireOwned(file)).hasMessageContaining("writable by nobody else");
    }

    @Test
    void fileInAFolderThatOthersMayWrite_isNotTrusted() throws IOException {
        Path file = file("rw-r--r--");
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwxr-x"));

        assertThatThrownBy(() -> trust.requireOwned(file)).hasMessageContaining("put another thing in place");
    }

    @Test
    void linkOnTheWay_isNotTrusted() throws IOException {
        Files.createDirectories(folder.resolve("real/models"));
        Files.createSymbolicLink(folder.resolve("link"), folder.resolve("real"));

        assertThatThrownBy(() -> trust.requireFixed(folder.resolve("link/models")))
                .hasMessageContaining("symbolic link");
    }

    @Test
    void detours_areNotTrusted() {
        assertThatThrownBy(() -> trust.requireFixed(folder.resolve("a/../b"))).isInstanceOf(Hal0Exception.class);
        assertThatThrownBy(() -> trust.requireFixed(Path.of("models"))).isInstanceOf(Hal0Exception.class);
    }

    @Test
    void missingPath_isSaidToBeMissing() {
        assertThatThrownBy(() -> trust.requireFixed(folder.resolve("none/models")))
                .hasMessageContaining("is not there");
    }
}
