/** What models this box has: the registry file, GGUF headers, and the one model that ships with hal0. */
@NullMarked
package dev.hal0.models;

import org.jspecify.annotations.NullMarked;
