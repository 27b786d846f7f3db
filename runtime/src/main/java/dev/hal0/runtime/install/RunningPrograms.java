package dev.hal0.runtime.install;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;

/**
 * Who runs from a folder. Looked up in the command lines and not in the executables: a program that was started through its
 * own loader has the loader for an executable.
 */
final class RunningPrograms {
    private RunningPrograms() {}

    /** The first live process with a path inside {@code folder} in its command line; those of other users count as well. */
    static OptionalLong from(Path folder) throws IOException {
        String inside = folder + "/";
        try (DirectoryStream<Path> processes = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
            for (Path process : processes) {
                if (commandLine(process).contains(inside)) {
                    return OptionalLong.of(Long.parseLong(process.getFileName().toString()));
                }
            }
        }
        return OptionalLong.empty();
    }

    private static String commandLine(Path process) {
        try {
            return new String(Files.readAllBytes(process.resolve("cmdline")), StandardCharsets.UTF_8);
        } catch (IOException goneMeanwhile) {
            return "";
        }
    }
}
