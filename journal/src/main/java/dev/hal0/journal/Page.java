package dev.hal0.journal;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A part of a table, newest first, where newest is what was recorded last.
 *
 * @param next the {@link Paging#before()} of the following page; null when there is none
 */
public record Page<T>(List<T> rows, @Nullable Long next) {}
