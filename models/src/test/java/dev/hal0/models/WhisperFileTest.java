package dev.hal0.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.testing.TestingWhisper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WhisperFileTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    static Path folder;

    @SuppressWarnings("NullAway.Init")
    private static byte[] whole;

    @BeforeAll
    static void write() throws IOException {
        Path file = folder.resolve("ggml-tiny.bin");
        TestingWhisper.anyLanguage().writeTo(file);
        whole = Files.readAllBytes(file);
    }

    private static Path file(byte[] content) throws IOException {
        return Files.write(Files.createTempFile(folder, "ggml", ".bin"), content);
    }

    @Test
    void wholeFile_saysWhatItIs() throws IOException {
        Path file = file(whole);

        assertThat(WhisperFile.isOne(file)).isTrue();
        assertThat(WhisperFile.read(file)).isEqualTo(new WhisperFile(whole.length, "F16", true));
    }

    @Test
    void otherFiles_areNone() throws IOException {
        assertThat(WhisperFile.isOne(file("GGUF".getBytes(java.nio.charset.StandardCharsets.US_ASCII))))
                .isFalse();
        assertThat(WhisperFile.isOne(file(new byte[0]))).isFalse();
        assertThat(WhisperFile.isOne(folder)).isFalse();
        assertThat(WhisperFile.isOne(folder.resolve("absent"))).isFalse();
    }

    /** Regression: whisper.cpp calls itself ready with a file that ends before its first tensor. */
    @Test
    void fileCutAnywhere_isRefused() throws IOException {
        for (int length : new int[] {4, 20, 47, 60, 64_000, 300_000, 1_000_000, whole.length - 1}) {
            Path cut = file(Arrays.copyOf(whole, length));
            assertThatThrownBy(() -> WhisperFile.read(cut))
                    .as("%d bytes", length)
                    .isInstanceOfSatisfying(Hal0Exception.class, refused -> {
                        assertThat(refused.code()).isEqualTo(ErrorCode.MODEL_FILE_INVALID);
                        assertThat(refused.details()).containsEntry("reason", "truncated");
                    });
        }
    }

    @Test
    void absurdNumbers_areRefusedBeforeTheyAreBelieved() throws IOException {
        for (int field = 1; field <= 10; field++) {
            byte[] broken = whole.clone();
            ByteBuffer.wrap(broken).order(ByteOrder.LITTLE_ENDIAN).putInt(4 * field, Integer.MAX_VALUE);
            Path file = file(broken);
            assertThatThrownBy(() -> WhisperFile.read(file)).hasMessageContaining("2147483647");
        }
    }
}
