/** Workloads as detached processes of this user: no root, no podman. See design.md of this module. */
@NullMarked
package dev.hal0.runtime.process;

import org.jspecify.annotations.NullMarked;
