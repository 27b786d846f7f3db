/** The {@code hal0} command: a thin HTTP client of the control plane. */
@NullMarked
package dev.hal0.cli;

import org.jspecify.annotations.NullMarked;
