/**
 * What the Proxmox VE host below this guest says about itself: its memory, its load and the other guests on it. One read-only
 * call with an API token. The token leaves this process only towards the host it was entered for, and never appears in a
 * message.
 */
@NullMarked
package dev.hal0.hardware.proxmox;

import org.jspecify.annotations.NullMarked;
