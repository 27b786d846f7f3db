package dev.hal0.cli;

/**
 * What is going on, on standard error: one line for each thing said, and below the last one, for a person at a terminal, how
 * long it has been taking. Thread-safe.
 */
final class Progress implements AutoCloseable {
    private static final String[] FRAMES = {"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};
    private static final long FRAME_MILLIS = 120;
    private static final String CLEAR = "\r\u001b[K";

    private final Console console;
    private final boolean quiet;
    private final boolean moving;
    private final long start = System.nanoTime();
    private String last = "";
    private int frame;
    private boolean closed;

    Progress(Console console, boolean quiet) {
        this.console = console;
        this.quiet = quiet;
        this.moving = !quiet && console.isErrorATerminal();
        if (moving) {
            Thread.ofPlatform().daemon().start(this::move);
        }
    }

    /** Says it once, however often it is repeated. */
    synchronized void say(String message) {
        if (quiet || message.isBlank() || message.equals(last)) {
            return;
        }
        last = message;
        console.noteText((moving ? CLEAR : "") + "  " + Console.harmless(message) + System.lineSeparator());
        draw();
    }

    private synchronized void move() {
        try {
            while (!closed) {
                draw();
                wait(FRAME_MILLIS);
            }
        } catch (InterruptedException ended) {
            Thread.currentThread().interrupt();
        }
    }

    private void draw() {
        if (moving && !closed) {
            long seconds = (System.nanoTime() - start) / 1_000_000_000;
            console.noteText(CLEAR + "  " + FRAMES[frame++ % FRAMES.length] + " " + seconds + " s");
        }
    }

    @Override
    public synchronized void close() {
        if (moving && !closed) {
            console.noteText(CLEAR);
        }
        closed = true;
        notifyAll();
    }
}
