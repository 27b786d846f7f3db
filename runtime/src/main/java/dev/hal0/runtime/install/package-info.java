/** Where engine programs come from: the person's own, an installed closure, or the one that ships with hal0. */
@NullMarked
package dev.hal0.runtime.install;

import org.jspecify.annotations.NullMarked;
