package dev.hal0.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.testing.TestingGguf;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.ByteRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

/** Whatever the bytes are: a header or a {@code model.file_invalid}, within a bounded amount of memory and reading. */
class GgufReaderPropertyTest {
    private static final byte[] CHAT = TestingGguf.chat().bytes();
    private static final byte[] EMBEDDING = TestingGguf.embedding().bytes();

    /** Keys, vocabulary and tensor list of the chat model end here; the rest is weights. */
    private static final int HEADER = 13_000;

    private static final long MOST_MEMORY = 8L << 20;

    private final GgufReader reader = new GgufReader();

    @Property(tries = 3000)
    void changed_bytes_never_cost_more_than_a_refusal(
            @ForAll @Size(min = 1, max = 8) int[] places, @ForAll @Size(8) byte[] values) throws IOException {
        byte[] bytes = CHAT.clone();
        for (int i = 0; i < places.length; i++) {
            bytes[Math.floorMod(places[i], HEADER)] = values[i];
        }
        readOrRefuse(bytes);
    }

    @Property(tries = 3000)
    void changed_lengths_never_cost_more_than_a_refusal(@ForAll @IntRange(max = HEADER) int place, @ForAll long value)
            throws IOException {
        byte[] bytes = CHAT.clone();
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(place, value);
        readOrRefuse(bytes);
    }

    /** Most damage to the first keys is found at once, so they are the likeliest places for a mistake. */
    @Property(tries = 3000)
    void changed_first_keys_never_cost_more_than_a_refusal(
            @ForAll @IntRange(min = 8, max = 700) int place, @ForAll @ByteRange(min = -128) byte value)
            throws IOException {
        byte[] bytes = EMBEDDING.clone();
        bytes[place] = value;
        readOrRefuse(bytes);
    }

    @Property(tries = 2000)
    void random_bytes_after_the_magic_never_cost_more_than_a_refusal(@ForAll @Size(max = 4096) byte[] noise)
            throws IOException {
        byte[] bytes = new byte[8 + noise.length];
        ByteBuffer.wrap(bytes)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(0x46554747)
                .putInt(3)
                .put(noise);
        readOrRefuse(bytes);
    }

    @Property(tries = 2000)
    void every_true_prefix_is_refused(@ForAll @IntRange(max = 163_900) int length) {
        byte[] prefix = Arrays.copyOf(CHAT, length);

        assertThat(length).isLessThan(CHAT.length);
        assertThatExceptionOfType(Hal0Exception.class)
                .isThrownBy(() -> reader.read(new MemoryChannel(prefix), "prefix", "prefix.gguf"))
                .satisfies(refusal ->
                        assertThat(refusal.details().get("reason")).isEqualTo(length < 4 ? "not_gguf" : "truncated"));
    }

    @Property(tries = 200)
    void whatever_was_asked_for_is_read_back(
            @ForAll @IntRange(min = 8, max = 100_000) int context,
            @ForAll @IntRange(min = 1, max = 4) int layers,
            @ForAll @IntRange(min = 1, max = 3) int width)
            throws IOException {
        var header = reader.read(
                new MemoryChannel(TestingGguf.chat()
                        .withContextLength(context)
                        .withShape(layers, 64 * width)
                        .bytes()),
                "model",
                "model.gguf");

        assertThat(header.contextLength()).isEqualTo(context);
        assertThat(header.blockCount()).isEqualTo(layers);
        assertThat(header.embeddingLength()).isEqualTo(64 * width);
        assertThat(header.complete()).isTrue();
    }

    private void readOrRefuse(byte[] bytes) throws IOException {
        var channel = new MemoryChannel(bytes);
        long before = allocated();
        try {
            assertThat(reader.read(channel, "fuzzed", "fuzzed.gguf").architecture())
                    .isNotEmpty();
        } catch (Hal0Exception refusal) {
            assertThat(refusal.code()).isEqualTo(ErrorCode.MODEL_FILE_INVALID);
            assertThat(refusal.details()).containsKey("reason");
        }
        assertThat(allocated() - before).isLessThan(MOST_MEMORY);
        // A skip that leaves the window throws the rest of it away; it never goes back.
        assertThat(channel.delivered).isLessThanOrEqualTo(bytes.length * 3L + (64 << 10));
    }

    private static long allocated() {
        return ((com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean()).getCurrentThreadAllocatedBytes();
    }
}
