/**
 * What the box does now: one sampler reads, everybody else takes its last sample. Nothing here runs a command or opens a
 * file because a client asked, so the number of clients does not matter to the machine.
 */
@NullMarked
package dev.hal0.hardware.live;

import org.jspecify.annotations.NullMarked;
