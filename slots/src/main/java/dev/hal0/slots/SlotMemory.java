package dev.hal0.slots;

import java.util.Map;

/** What the machine's memory looks like to those who decide what is loaded. Thread-safe; no call waits. */
public interface SlotMemory {
    /** A machine of which nothing is known: everything is one pool, and nothing is refused. */
    SlotMemory UNKNOWN = new SlotMemory() {
        @Override
        public String pool(Device device) {
            return "memory";
        }

        @Override
        public Map<String, Long> budgetBytes() {
            return Map.of();
        }

        @Override
        public Map<String, Long> freeBytes() {
            return Map.of();
        }
    };

    /** The memory that slots on this device share; one for all devices where the GPU uses main memory. */
    String pool(Device device);

    /** What all slots of a pool may hold together; a pool whose size is not known is absent. */
    Map<String, Long> budgetBytes();

    /** What one more slot could take, as last measured; a pool that cannot be measured is absent. */
    Map<String, Long> freeBytes();
}
