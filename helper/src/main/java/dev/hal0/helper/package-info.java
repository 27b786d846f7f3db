/** The border to root, seen from the control plane: typed plans, the calls that carry them, and the client that sends them. */
@NullMarked
package dev.hal0.helper;

import org.jspecify.annotations.NullMarked;
