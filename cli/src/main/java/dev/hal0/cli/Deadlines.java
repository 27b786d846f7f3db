package dev.hal0.cli;

import java.time.Duration;

/**
 * How long the client waits before it says so.
 *
 * @param connect until the connection stands, for each address of the host
 * @param answer from sending to the last byte of an ordinary answer, however slowly it trickles in
 * @param silence without a byte on a stream; the server sends a comment every 15 s, so longer is a dead connection
 */
record Deadlines(Duration connect, Duration answer, Duration silence) {
    static final Deadlines DEFAULT =
            new Deadlines(Duration.ofSeconds(3), Duration.ofSeconds(30), Duration.ofSeconds(45));
}
