package dev.hal0.slots;

import java.util.Optional;
import java.util.OptionalLong;

/**
 * A launch and what came of it; written to disk before the spawn, so that a control plane that dies at any instant leaves
 * enough behind for the next one to find the workload.
 *
 * @param nonce random, carried in the workload's environment
 * @param needBytes memory it was expected to hold; empty if unknown
 * @param incarnation empty until the workload was seen
 */
record Launch(String nonce, LaunchPlan plan, OptionalLong needBytes, Optional<Incarnation> incarnation) {
    Launch seenAs(Incarnation seen) {
        return new Launch(nonce, plan, needBytes, Optional.of(seen));
    }

    Workload workload() {
        return new Workload(plan.slot(), nonce, incarnation.orElseThrow());
    }
}
