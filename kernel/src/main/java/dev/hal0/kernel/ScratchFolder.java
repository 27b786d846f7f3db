package dev.hal0.kernel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;

/**
 * A folder for what a program needs only while it runs, empty at every start. Libraries that unpack native code delete it when
 * the JVM ends in order; a program that is killed leaves it, megabytes each time, and {@code /tmp} may be memory.
 */
public final class ScratchFolder {
    private ScratchFolder() {}

    /**
     * Empties the folder, creating it if needed. The caller makes sure that no other program uses it.
     *
     * @throws Hal0Exception {@code system.storage} if it cannot be created or emptied
     */
    public static Path emptied(Path folder) {
        try {
            if (Files.exists(folder)) {
                try (var all = Files.walk(folder)) {
                    for (Path path : (Iterable<Path>) all.sorted(Comparator.reverseOrder())::iterator) {
                        Files.deleteIfExists(path);
                    }
                }
            }
            return Files.createDirectories(folder);
        } catch (IOException failure) {
            throw new Hal0Exception(ErrorCode.SYSTEM_STORAGE, "Cannot empty " + folder + ": " + failure);
        }
    }
}
