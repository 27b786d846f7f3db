package dev.hal0.journal;

import java.time.Duration;

/**
 * How much the journal holds.
 *
 * @param queueRows rows that may wait for the writer; with about 1 KB each this bounds the memory
 * @param queryDeadline from the question to its answer, waiting for a reader included
 */
public record JournalSettings(
        int queueRows, Duration queryDeadline, Limits requests, Limits operations, Limits transitions, Limits events) {
    public static final JournalSettings DEFAULTS = new JournalSettings(
            10_000,
            Duration.ofSeconds(5),
            new Limits(Duration.ofDays(30), 200_000),
            new Limits(Duration.ofDays(90), 200_000),
            new Limits(Duration.ofDays(90), 200_000),
            new Limits(Duration.ofDays(90), 200_000));

    public JournalSettings {
        if (queueRows < 1 || queryDeadline.isNegative()) {
            throw new IllegalArgumentException("queueRows " + queueRows + ", queryDeadline " + queryDeadline);
        }
    }

    /**
     * What is deleted from a table: whatever is older than {@code age}, and the oldest while there are more than
     * {@code rows}.
     */
    public record Limits(Duration age, long rows) {
        public Limits {
            if (age.isNegative() || rows < 0) {
                throw new IllegalArgumentException("age " + age + ", rows " + rows);
            }
        }
    }
}
