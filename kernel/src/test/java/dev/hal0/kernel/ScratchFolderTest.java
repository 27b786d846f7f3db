package dev.hal0.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ScratchFolderTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path root;

    @Test
    void whatAKilledProgramLeft_isGoneAtTheNextStart() throws IOException {
        Path folder = Files.createDirectories(root.resolve("tmp"));
        Files.writeString(Files.createDirectories(folder.resolve("unpacked")).resolve("library.so"), "native");
        assertThat(ScratchFolder.emptied(folder)).isEmptyDirectory();
    }

    @Test
    void missingFolder_isCreated() {
        assertThat(ScratchFolder.emptied(root.resolve("a/b"))).isEmptyDirectory();
    }

    @Test
    void linkInside_isRemovedAndItsTargetStays() throws IOException {
        Path kept = Files.writeString(root.resolve("kept"), "mine");
        Path folder = Files.createDirectories(root.resolve("tmp"));
        Files.createSymbolicLink(folder.resolve("link"), kept);
        ScratchFolder.emptied(folder);
        assertThat(kept).hasContent("mine");
    }

    @Test
    void fileInTheWay_isToldWithItsPath() throws IOException {
        Files.writeString(root.resolve("file"), "");
        assertThatThrownBy(() -> ScratchFolder.emptied(root.resolve("file/tmp")))
                .isInstanceOf(Hal0Exception.class)
                .hasMessageContaining("file/tmp");
    }
}
