package dev.hal0.hardware.live;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * How current one source of a {@link LiveSample} was when the sample was taken. Immutable.
 *
 * @param name {@code memory}, {@code cpu}, {@code disk}, {@code npu}, {@code nvidia-smi} (all NVIDIA cards together) or
 *     {@code gpu} and a slot
 * @param readNanos when its values were asked for, on the sampler's ticker; null when it never gave any
 */
public record LivePart(
        String name, State state, @JsonIgnore @Nullable Long readNanos) {
    /** What became of the last read. */
    public enum State {
        FRESH("fresh"),
        /** The first read is under way. */
        PENDING("pending"),
        /** A read takes longer than a period; it is not started again before it does. */
        OVERDUE("overdue"),
        /** The source gave nothing, or is gone. */
        FAILED("failed");

        private final String word;

        State(String word) {
            this.word = word;
        }

        @JsonValue
        public String word() {
            return word;
        }
    }

    public LivePart {
        Objects.requireNonNull(name);
        Objects.requireNonNull(state);
    }

    /** Milliseconds since its values were read; null when it never gave any. See {@link LiveSampler#nanos()}. */
    public @Nullable Long ageMs(long nowNanos) {
        return readNanos == null ? null : Long.valueOf(TimeUnit.NANOSECONDS.toMillis(nowNanos - readNanos));
    }
}
