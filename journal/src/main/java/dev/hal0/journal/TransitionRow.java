package dev.hal0.journal;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A slot went from one state to another.
 *
 * @param cause why, as a code
 * @param incarnation of the workload; null when there was none
 * @param at kept in milliseconds
 * @param operation the id of the operation that led to it; null when none did
 * @param message for people; empty when the cause says it all
 */
public record TransitionRow(
        String slot,
        String from,
        String to,
        String cause,
        @Nullable String incarnation,
        Instant at,
        @Nullable String operation,
        String message)
        implements JournalRow {}
