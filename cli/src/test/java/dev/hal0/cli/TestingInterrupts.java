package dev.hal0.cli;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Ctrl-C under the test's finger. */
final class TestingInterrupts implements Interrupts {
    private final List<Runnable> actions = new CopyOnWriteArrayList<>();

    @Override
    public Registration onInterrupt(Runnable action) {
        actions.add(action);
        return () -> actions.remove(action);
    }

    void interrupt() {
        actions.forEach(Runnable::run);
    }

    /** Whether Ctrl-C would end the process. */
    boolean isUnhandled() {
        return actions.isEmpty();
    }
}
