package dev.hal0.kernel;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Kills everything a command started. Descent alone is not enough: a process whose parent has ended belongs to init. So
 * each command carries a mark in its environment, which its children inherit, and {@code /proc} is searched for it.
 */
final class ProcessTree {
    /** The variable that holds a command's mark. */
    static final String MARK = "HAL0_COMMAND_ID";

    /** A tree may fork while it is being killed; after this many rounds it is a fork bomb, not a race. */
    private static final int ROUNDS = 20;

    private ProcessTree() {}

    static void kill(ProcessHandle root, String mark) {
        for (int round = 0; round < ROUNDS; round++) {
            Set<ProcessHandle> tree = new LinkedHashSet<>();
            if (round == 0) {
                tree.add(root);
            }
            root.descendants().forEach(tree::add);
            addMarked(mark, tree);
            if (tree.isEmpty()) {
                return;
            }
            tree.forEach(ProcessHandle::destroyForcibly);
        }
    }

    private static void addMarked(String mark, Set<ProcessHandle> found) {
        byte[] entry = (MARK + "=" + mark).getBytes(StandardCharsets.UTF_8);
        try (Stream<Path> processes = Files.list(Path.of("/proc"))) {
            for (Path process : (Iterable<Path>) processes::iterator) {
                String name = process.getFileName().toString();
                if (name.chars().allMatch(Character::isDigit)) {
                    // The handle first: it remembers the start time, so a reused pid is not killed in its place.
                    ProcessHandle.of(Long.parseLong(name))
                            .filter(handle -> environmentHas(process, entry))
                            .ifPresent(found::add);
                }
            }
        } catch (IOException noProcFileSystem) {
            // Without /proc (not Linux) descent is all there is to go by.
            return;
        }
    }

    private static boolean environmentHas(Path process, byte[] entry) {
        try {
            String environment =
                    new String(Files.readAllBytes(process.resolve("environ")), StandardCharsets.ISO_8859_1);
            return environment.contains(new String(entry, StandardCharsets.ISO_8859_1));
        } catch (IOException endedOrOfAnotherUser) {
            return false;
        }
    }
}
