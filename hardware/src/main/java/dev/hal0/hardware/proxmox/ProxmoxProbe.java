package dev.hal0.hardware.proxmox;

import org.jspecify.annotations.Nullable;

/**
 * The outcome of one call.
 *
 * @param tlsFingerprint SHA-256 of the certificate that the peer showed, {@code AB:CD:…}, also when it was refused; null
 *     when the handshake did not come that far
 */
public record ProxmoxProbe(ProxmoxSummary summary, @Nullable String tlsFingerprint) {}
