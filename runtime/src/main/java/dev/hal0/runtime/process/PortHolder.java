package dev.hal0.runtime.process;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The program that listens on a TCP port of this machine. Found through {@code /proc}, which shows other users' sockets but
 * hides whose they are from anybody but root.
 */
record PortHolder(long pid, String command) {
    private static final String LISTENING = "0A";
    private static final int STATE = 3;
    private static final int INODE = 9;

    /** Empty where nobody listens, or it cannot be seen who. */
    static Optional<PortHolder> of(int port) {
        return of(port, Path.of("/proc"));
    }

    static Optional<PortHolder> of(int port, Path proc) {
        Set<String> sockets = new HashSet<>();
        for (String table : List.of("net/tcp", "net/tcp6")) {
            sockets.addAll(listening(proc.resolve(table), port));
        }
        return sockets.isEmpty() ? Optional.empty() : holder(proc, sockets);
    }

    String describe() {
        return command + " (process " + pid + ")";
    }

    /** Names of the listening sockets, as they stand behind a process's descriptors. */
    private static Set<String> listening(Path table, int port) {
        String suffix = String.format(":%04X", port);
        var found = new HashSet<String>();
        try {
            for (String line : Files.readAllLines(table)) {
                String[] words = line.strip().split("\\s+");
                if (words.length > INODE && words[1].endsWith(suffix) && words[STATE].equals(LISTENING)) {
                    found.add("socket:[" + words[INODE] + "]");
                }
            }
        } catch (IOException unreadable) {
            // an early word only; the caller goes on without a name
        }
        return found;
    }

    private static Optional<PortHolder> holder(Path proc, Set<String> sockets) {
        try (DirectoryStream<Path> processes = Files.newDirectoryStream(proc, "[0-9]*")) {
            for (Path process : processes) {
                if (holds(process, sockets)) {
                    String name = Files.readString(process.resolve("comm")).strip();
                    return Optional.of(
                            new PortHolder(Long.parseLong(process.getFileName().toString()), name));
                }
            }
        } catch (IOException | NumberFormatException unreadable) {
            // as above
        }
        return Optional.empty();
    }

    private static boolean holds(Path process, Set<String> sockets) {
        try (DirectoryStream<Path> descriptors = Files.newDirectoryStream(process.resolve("fd"))) {
            for (Path descriptor : descriptors) {
                if (sockets.contains(Files.readSymbolicLink(descriptor).toString())) {
                    return true;
                }
            }
        } catch (IOException goneOrHidden) {
            // the next one
        }
        return false;
    }
}
