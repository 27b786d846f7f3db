/** Profiles: named templates of how an engine is run. Those that ship with hal0 are in no file until somebody edits them. */
@NullMarked
package dev.hal0.slots.profile;

import org.jspecify.annotations.NullMarked;
