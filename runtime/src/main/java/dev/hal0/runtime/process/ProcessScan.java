package dev.hal0.runtime.process;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Finds a workload by the nonce in its environment, whoever started it. */
final class ProcessScan {
    static final String NONCE_VARIABLE = "HAL0_LAUNCH_NONCE";

    private ProcessScan() {}

    /**
     * The pid of the live process of this user that carries the nonce and leads its session: an engine's own children inherit
     * the nonce, not the lead.
     */
    static Optional<Long> byNonce(String nonce) {
        byte[] wanted = (NONCE_VARIABLE + "=" + nonce).getBytes(StandardCharsets.UTF_8);
        try (DirectoryStream<Path> processes = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
            Object ownUser = Files.getAttribute(Path.of("/proc/self"), "unix:uid");
            for (Path process : processes) {
                long pid = Long.parseLong(process.getFileName().toString());
                if (carries(process, ownUser, wanted) && ProcessIdentity.leadsSession(pid)) {
                    return Optional.of(pid);
                }
            }
        } catch (IOException unreadable) {
            return Optional.empty();
        }
        return Optional.empty();
    }

    /** Every live process of this user that carries the nonce: the engine and whatever it started. */
    static List<ProcessHandle> allByNonce(String nonce) {
        byte[] wanted = (NONCE_VARIABLE + "=" + nonce).getBytes(StandardCharsets.UTF_8);
        var found = new ArrayList<ProcessHandle>();
        try (DirectoryStream<Path> processes = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
            Object ownUser = Files.getAttribute(Path.of("/proc/self"), "unix:uid");
            for (Path process : processes) {
                // The handle first: it remembers the start time, so that a reused pid is never signalled.
                Optional<ProcessHandle> handle =
                        ProcessHandle.of(Long.parseLong(process.getFileName().toString()));
                if (handle.isPresent() && carries(process, ownUser, wanted)) {
                    found.add(handle.get());
                }
            }
        } catch (IOException unreadable) {
            return found;
        }
        return found;
    }

    private static boolean carries(Path process, Object ownUser, byte[] wanted) {
        try {
            // Another user's process may carry anything: only our own are ours.
            return Files.getAttribute(process, "unix:uid").equals(ownUser)
                    && contains(Files.readAllBytes(process.resolve("environ")), wanted);
        } catch (IOException goneOrForbidden) {
            return false;
        }
    }

    /** Whole entries only: they are separated by NUL bytes. */
    static boolean contains(byte[] environment, byte[] entry) {
        int start = 0;
        for (int i = 0; i <= environment.length; i++) {
            if (i == environment.length || environment[i] == 0) {
                if (java.util.Arrays.equals(environment, start, i, entry, 0, entry.length)) {
                    return true;
                }
                start = i + 1;
            }
        }
        return false;
    }
}
