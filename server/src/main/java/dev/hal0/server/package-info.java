/** The composition root: settings, wiring, {@code /api}, the mounting of {@code /v1}, and {@code main}. */
@NullMarked
package dev.hal0.server;

import org.jspecify.annotations.NullMarked;
