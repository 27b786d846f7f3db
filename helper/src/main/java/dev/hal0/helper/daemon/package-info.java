/** The border to root, seen from root: who may call, what may be asked, and the only commands that are ever run. */
@NullMarked
package dev.hal0.helper.daemon;

import org.jspecify.annotations.NullMarked;
