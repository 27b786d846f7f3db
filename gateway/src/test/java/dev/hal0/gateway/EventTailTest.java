package dev.hal0.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.buffer.Buffer;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EventTailTest {
    @Test
    void wholeEvents_passAtOnce() {
        Buffer chunk = Buffer.buffer("data: 1\n\ndata: 2\n\n");

        assertThat(new EventTail().accept(chunk)).isSameAs(chunk);
    }

    @Test
    void halfAnEvent_waitsForItsOtherHalf() {
        var tail = new EventTail();

        assertThat(tail.accept(Buffer.buffer("data: 1\n\ndata: "))).hasToString("data: 1\n\n");
        assertThat(tail.accept(Buffer.buffer("2\n"))).isNull();
        assertThat(tail.accept(Buffer.buffer("\nda"))).hasToString("data: 2\n\n");
        assertThat(tail.rest()).hasToString("da");
        assertThat(tail.rest()).isNull();
    }

    @Test
    void eventTooLongToHold_passesInPieces() {
        var tail = new EventTail();
        Buffer half = Buffer.buffer("data: " + "x".repeat(2 << 20));

        assertThat(tail.accept(half)).isSameAs(half);
        assertThat(tail.isBetweenEvents()).isFalse();
        assertThat(tail.accept(Buffer.buffer("y\n\n"))).hasToString("y\n\n");
        assertThat(tail.isBetweenEvents()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"\n", "\r\n"})
    void anySplit_losesAndChangesNothingAndEndsAtAnEvent(String newline) {
        long seed = System.nanoTime();
        var random = new Random(seed);
        for (int round = 0; round < 2_000; round++) {
            var text = new StringBuilder();
            for (int i = random.nextInt(6); i >= 0; i--) {
                text.append("data: ").append("z".repeat(random.nextInt(5))).append(newline);
                if (random.nextBoolean()) {
                    text.append("id: ").append(i).append(newline);
                }
                text.append(newline);
            }
            String whole = text + "data: unfinished";
            var tail = new EventTail();
            var out = new StringBuilder();
            for (int at = 0; at < whole.length(); ) {
                int next = Math.min(whole.length(), at + 1 + random.nextInt(7));
                Buffer passed = tail.accept(Buffer.buffer(whole.substring(at, next)));
                if (passed != null) {
                    assertThat(passed.toString()).as("seed %s", seed).endsWith(newline + newline);
                    out.append(passed);
                }
                at = next;
            }
            assertThat(out).as("seed %s", seed).hasToString(text.toString());
            assertThat(tail.rest()).hasToString("data: unfinished");
        }
    }
}
