package dev.hal0.cli;

import java.io.IOException;
import java.io.InputStream;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;

/**
 * Which of the three standard streams are terminals, and how wide the output is. {@code System.console()} only knows whether
 * input and output both are; a pipe on one of them must not take colours, questions or the spinner from the others.
 */
record Terminals(boolean in, boolean out, boolean error, IntSupplier width) {
    static final int UNBOUNDED = Integer.MAX_VALUE;

    static final Terminals NONE = new Terminals(false, false, false, () -> UNBOUNDED);

    static Terminals ofThisProcess(Map<String, String> environment) {
        return new Terminals(isTerminal(0), isTerminal(1), isTerminal(2), () -> measured(environment));
    }

    /** {@link #UNBOUNDED} where no terminal cuts lines off. */
    int columns() {
        return out ? width.getAsInt() : UNBOUNDED;
    }

    private static boolean isTerminal(int descriptor) {
        try {
            String target = Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor))
                    .toString();
            return target.startsWith("/dev/pts/")
                    || target.startsWith("/dev/tty")
                    || target.startsWith("/dev/hvc")
                    || target.equals("/dev/console");
        } catch (IOException | RuntimeException noProc) {
            return System.console() != null && System.console().isTerminal();
        }
    }

    /** Asks the shell's variable, then the terminal; a table needs it once. */
    private static int measured(Map<String, String> environment) {
        int given = number(environment.getOrDefault("COLUMNS", ""));
        if (given > 0) {
            return given;
        }
        try {
            Process stty = new ProcessBuilder("stty", "-F", "/dev/tty", "size")
                    .redirectInput(Redirect.from(Path.of("/dev/null").toFile()))
                    .redirectError(Redirect.DISCARD)
                    .start();
            try (InputStream answer = stty.getInputStream()) {
                if (!stty.waitFor(500, TimeUnit.MILLISECONDS)) {
                    stty.destroyForcibly();
                    return UNBOUNDED;
                }
                String[] size = new String(answer.readAllBytes(), StandardCharsets.UTF_8)
                        .strip()
                        .split(" ");
                int columns = size.length == 2 ? number(size[1]) : 0;
                return columns > 0 ? columns : UNBOUNDED;
            }
        } catch (IOException noStty) {
            return UNBOUNDED;
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            return UNBOUNDED;
        }
    }

    private static int number(String text) {
        return text.matches("[0-9]{1,5}") ? Integer.parseInt(text) : 0;
    }
}
