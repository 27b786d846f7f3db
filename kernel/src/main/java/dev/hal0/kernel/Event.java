package dev.hal0.kernel;

import java.time.Instant;

/**
 * Something that happened, as dashboards and the CLI see it.
 *
 * @param id {@code <epoch>-<sequence>}: the epoch names one life of the control plane, the sequence grows by one
 * @param type dotted name such as {@code slot.state}
 * @param subject what it is about, such as a slot's name
 * @param data plain JSON-able values
 */
public record Event(String id, Instant at, String type, String subject, Object data) {}
