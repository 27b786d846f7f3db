package dev.hal0.slots;

import dev.hal0.kernel.SlotName;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/** One gate and one line per slot, for as long as the control plane lives. */
final class SlotWorkloads {
    record Admission(Gate gate, AdmissionQueue queue) {}

    private final ConcurrentMap<SlotName, Admission> admissions = new ConcurrentHashMap<>();

    Admission admission(SlotName slot) {
        return admissions.computeIfAbsent(slot, name -> {
            var gate = new Gate();
            return new Admission(gate, new AdmissionQueue(gate));
        });
    }

    /** Those that were ever asked for. */
    Set<SlotName> slots() {
        return Set.copyOf(admissions.keySet());
    }

    Gate gate(SlotName slot) {
        return admission(slot).gate();
    }
}
