/**
 * History in one SQLite file. Losing it loses no live state: slots, models and settings live in their own files.
 * Depends on {@code kernel} only.
 */
@NullMarked
package dev.hal0.journal;

import org.jspecify.annotations.NullMarked;
