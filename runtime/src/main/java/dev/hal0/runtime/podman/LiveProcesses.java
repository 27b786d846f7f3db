package dev.hal0.runtime.podman;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Tells for nothing but a read whether a process is still the one that it was. */
interface LiveProcesses {
    /** A word that no other process with this pid has; empty when there is none, or it is dead and not yet reaped. */
    Optional<String> identity(long pid);

    /** @param proc where the system shows its processes to every user */
    static LiveProcesses of(Path proc) {
        return pid -> {
            try {
                String stat = Files.readString(proc.resolve(Long.toString(pid)).resolve("stat"));
                // The name in parentheses may contain anything; what follows it does not.
                String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
                boolean dead = fields[0].equals("Z") || fields[0].equals("X");
                return dead ? Optional.empty() : Optional.of(fields[19]);
            } catch (IOException gone) {
                return Optional.empty();
            }
        };
    }
}
