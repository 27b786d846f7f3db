package dev.hal0.slots;

import java.util.List;
import java.util.function.Consumer;

/** An engine's output, each line exactly once, across launches and restarts of the control plane. */
public interface SlotLog {
    /** The newest lines, oldest first. */
    List<String> tail(int lines);

    /**
     * Delivers {@code backfill} old lines and then each new one, in order and without a gap, on a thread of the log's own.
     *
     * @return ends the delivery; idempotent
     */
    AutoCloseable follow(int backfill, Consumer<String> listener);
}
