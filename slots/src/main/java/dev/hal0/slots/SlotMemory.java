package dev.hal0.slots;

import dev.hal0.models.RegisteredModel;
import java.util.Map;
import java.util.OptionalLong;

/** What the machine's memory looks like to those who decide what is loaded. Thread-safe; no call blocks for long. */
public interface SlotMemory {
    /** A machine of which nothing is known: everything is one pool, and nothing is refused. */
    SlotMemory UNKNOWN = new SlotMemory() {
        @Override
        public String pool(Device device) {
            return "memory";
        }

        @Override
        public Map<String, Long> freeBytes() {
            return Map.of();
        }

        @Override
        public OptionalLong need(SlotDefinition slot, RegisteredModel model) {
            return OptionalLong.empty();
        }
    };

    /** The memory that slots on this device share; one for all devices where the GPU uses main memory. */
    String pool(Device device);

    /** As last measured; a pool that cannot be measured is absent. */
    Map<String, Long> freeBytes();

    /** What the slot would hold with this model; empty if that cannot be told. */
    OptionalLong need(SlotDefinition slot, RegisteredModel model);
}
