package dev.hal0.runtime.process;

import dev.hal0.slots.Incarnation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A process that can never be mistaken for another: boot id, pid and start ticks. A reused pid has other ticks, another boot
 * another id. The executable is no part of it: engines are started through a loader, which is what {@code exe} shows.
 */
record ProcessIdentity(String bootId, long pid, long startTicks) {

    /** What {@code /proc/<pid>/stat} says; dead includes zombies, which no signal can reach and no request. */
    record Status(char state, long session, long startTicks) {
        boolean isDead() {
            return state == 'Z' || state == 'X' || state == 'x';
        }
    }

    /** @return empty when there is no such process, or only its remains */
    static Optional<ProcessIdentity> of(String bootId, long pid) {
        return status(pid)
                .filter(status -> !status.isDead())
                .map(status -> new ProcessIdentity(bootId, pid, status.startTicks()));
    }

    static ProcessIdentity parse(Incarnation incarnation) {
        String[] parts = incarnation.value().split(":", -1);
        if (parts.length != 3) {
            throw new IllegalArgumentException("not the identity of a process: " + incarnation);
        }
        return new ProcessIdentity(parts[0], Long.parseLong(parts[1]), Long.parseLong(parts[2]));
    }

    Incarnation incarnation() {
        return new Incarnation(bootId + ":" + pid + ":" + startTicks);
    }

    boolean isAlive(String currentBootId) {
        return bootId.equals(currentBootId)
                && status(pid)
                        .filter(status -> !status.isDead() && status.startTicks() == startTicks)
                        .isPresent();
    }

    static boolean leadsSession(long pid) {
        return status(pid).filter(status -> status.session() == pid).isPresent();
    }

    private static Optional<Status> status(long pid) {
        try {
            return Optional.of(parseStat(Files.readString(Path.of("/proc", Long.toString(pid), "stat"))));
        } catch (IOException gone) {
            return Optional.empty();
        }
    }

    /** The command's name stands in parentheses and may itself contain some: fields start after the last one. */
    static Status parseStat(String stat) {
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
        // After pid and name: state is field 3 of proc(5), session field 6, start time field 22.
        return new Status(fields[0].charAt(0), Long.parseLong(fields[3]), Long.parseLong(fields[19]));
    }

    static String currentBootId() {
        try {
            return Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip();
        } catch (IOException unreadable) {
            // Without it a reboot could let an old record match a new process: better to adopt nothing.
            return "unknown-" + System.nanoTime();
        }
    }
}
