package dev.hal0.testing;

import java.time.Instant;

/** @param what happened, with the names of everything that took part */
public record Violation(Invariant invariant, Instant at, String what) {
    @Override
    public String toString() {
        return at + " " + invariant + ": " + what;
    }
}
