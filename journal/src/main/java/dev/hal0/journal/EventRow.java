package dev.hal0.journal;

import dev.hal0.kernel.Event;
import java.time.Instant;

/**
 * Something that happened.
 *
 * @param id as the event bus gave it; unique within one life of the control plane
 * @param at kept in milliseconds
 * @param kind dotted name such as {@code slot.state}
 * @param subject what it is about, such as a slot's name
 * @param payload plain JSON-able values that nobody changes any more: they are serialised later, on the writer's thread. A
 *     row that is read has a {@code JsonNode} here.
 */
public record EventRow(String id, Instant at, String kind, String subject, Object payload) implements JournalRow {
    public static EventRow of(Event event) {
        return new EventRow(event.id(), event.at(), event.type(), event.subject(), event.data());
    }
}
