/**
 * What the box is: the probe, the one memory truth, the live sampler. Everything is read, nothing is configured, and a
 * value that could not be read is unknown, never 0. Depends on {@code kernel} only.
 */
@NullMarked
package dev.hal0.hardware;

import org.jspecify.annotations.NullMarked;
