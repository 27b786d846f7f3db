package dev.hal0.cli;

import org.jline.utils.Signals;

/** Ctrl-C, as something that can be pressed in a test. */
interface Interrupts {
    /**
     * Runs the action, on a thread of its own, each time Ctrl-C is pressed until the registration is closed; the process then
     * no longer ends by it.
     */
    Registration onInterrupt(Runnable action);

    interface Registration extends AutoCloseable {
        @Override
        void close();
    }

    /** The real ones: SIGINT. */
    static Interrupts ofThisProcess() {
        return action -> {
            Object before = Signals.register("INT", action);
            return () -> Signals.unregister("INT", before);
        };
    }
}
