package dev.hal0.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The arguments as they were typed. */
final class Arguments {
    private Arguments() {}

    /**
     * In a locale without UTF-8 (a container, a plain ssh) the JVM destroys every letter beyond ASCII; the kernel still has the
     * bytes.
     */
    static String[] asTyped(String[] decoded) {
        if ("UTF-8".equalsIgnoreCase(System.getProperty("sun.jnu.encoding"))) {
            return decoded;
        }
        try {
            return last(decoded, Files.readAllBytes(Path.of("/proc/self/cmdline")));
        } catch (IOException noProc) {
            return decoded;
        }
    }

    /** @param commandLine the whole command line, each word ended by a zero byte */
    static String[] last(String[] decoded, byte[] commandLine) {
        List<String> words = new ArrayList<>();
        int from = 0;
        for (int i = 0; i < commandLine.length; i++) {
            if (commandLine[i] == 0) {
                words.add(new String(commandLine, from, i - from, StandardCharsets.UTF_8));
                from = i + 1;
            }
        }
        return words.size() < decoded.length
                ? decoded
                : words.subList(words.size() - decoded.length, words.size()).toArray(String[]::new);
    }
}
