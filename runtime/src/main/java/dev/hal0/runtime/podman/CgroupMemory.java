package dev.hal0.runtime.podman;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;

/**
 * What a container holds, as its cgroup accounts it, under version 2 and version 1. Model files are mapped, so mapped pages
 * count; pages that were only read once do not.
 */
final class CgroupMemory {
    private final Path root;

    /** @param root where the hierarchies are mounted */
    CgroupMemory(Path root) {
        this.root = root;
    }

    /** @param cgroup absolute, as podman names it */
    OptionalLong usedBytes(String cgroup) {
        Path relative = Path.of("/").relativize(Path.of(cgroup).normalize());
        OptionalLong unified = sum(root.resolve(relative).resolve("memory.stat"), "anon", "file_mapped", "shmem");
        return unified.isPresent()
                ? unified
                : sum(
                        root.resolve("memory").resolve(relative).resolve("memory.stat"),
                        "total_rss",
                        "total_mapped_file");
    }

    /** Empty where the file or all of the names are missing: unknown is not 0. */
    private static OptionalLong sum(Path file, String... names) {
        try {
            long sum = 0;
            boolean found = false;
            for (String line : Files.readAllLines(file)) {
                for (String name : names) {
                    if (line.startsWith(name + " ")) {
                        sum += Long.parseLong(line.substring(name.length() + 1).strip());
                        found = true;
                    }
                }
            }
            return found ? OptionalLong.of(sum) : OptionalLong.empty();
        } catch (IOException | NumberFormatException unreadable) {
            return OptionalLong.empty();
        }
    }
}
