/**
 * What every other module stands on: names, errors, time-independent file durability, TOML that keeps what people
 * wrote, the event bus and bounded external commands. Depends on no other module.
 */
@NullMarked
package dev.hal0.kernel;

import org.jspecify.annotations.NullMarked;
