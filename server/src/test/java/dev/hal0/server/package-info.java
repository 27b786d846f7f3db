@NullMarked
package dev.hal0.server;

import org.jspecify.annotations.NullMarked;
