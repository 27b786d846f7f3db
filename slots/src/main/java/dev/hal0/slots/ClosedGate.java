package dev.hal0.slots;

/**
 * Proof that nobody is inside one incarnation and that nobody will enter it again. Only {@link Gate} makes one, and
 * {@link SlotRuntime#stop} takes one: that is the whole mechanism by which a serving workload cannot be taken away.
 */
public final class ClosedGate {
    private final Incarnation incarnation;
    private final int cut;

    ClosedGate(Incarnation incarnation, int cut) {
        this.incarnation = incarnation;
        this.cut = cut;
    }

    public Incarnation incarnation() {
        return incarnation;
    }

    /** How many requests a revoke ended; 0 when the gate closed with nobody inside. */
    public int cut() {
        return cut;
    }
}
