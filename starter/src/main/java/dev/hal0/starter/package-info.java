/**
 * An inference server of our own, small enough to ship: embeddings with all-MiniLM-L6-v2 in a process of its own, so that the
 * control plane carries neither the model's memory nor its native libraries.
 */
@NullMarked
package dev.hal0.starter;

import org.jspecify.annotations.NullMarked;
