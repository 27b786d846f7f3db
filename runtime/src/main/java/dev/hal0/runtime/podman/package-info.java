/** Workloads as containers, each under a systemd unit of its own, through the root helper. */
@NullMarked
package dev.hal0.runtime.podman;

import org.jspecify.annotations.NullMarked;
