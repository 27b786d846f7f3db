/** Families of inference servers: how each is started, asked and stopped using. */
@NullMarked
package dev.hal0.runtime.engine;

import org.jspecify.annotations.NullMarked;
