package dev.hal0.cli;

import dev.hal0.kernel.Json;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Standard output and error in UTF-8, whatever the locale; colours only for a person who wants them. */
final class Console {
    private final PrintStream out;
    private final PrintStream error;
    private final boolean colours;
    private final boolean interactive;

    Console(PrintStream out, PrintStream error, boolean interactive, boolean colours) {
        this.out = out;
        this.error = error;
        this.interactive = interactive;
        this.colours = colours;
    }

    static Console ofThisProcess() {
        var out = new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8);
        var error = new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8);
        boolean terminal = System.console() != null && System.console().isTerminal();
        return new Console(out, error, terminal, terminal && System.getenv("NO_COLOR") == null);
    }

    /** Whether a person sits at both ends. */
    boolean isInteractive() {
        return interactive;
    }

    /** For picocli's help. */
    PrintWriter writer() {
        return new PrintWriter(out, true, StandardCharsets.UTF_8);
    }

    PrintWriter errorWriter() {
        return new PrintWriter(error, true, StandardCharsets.UTF_8);
    }

    void line(String text) {
        out.println(text);
        out.flush();
    }

    void text(String text) {
        out.print(text);
        out.flush();
    }

    /** On standard error: standard output is the answer's alone. */
    void ask(String question) {
        error.print(question + " [y/N] ");
        error.flush();
    }

    void note(String text) {
        error.println(text);
    }

    void json(Object document) {
        out.println(Json.PRETTY.writeValueAsString(document).replace("\r\n", "\n"));
        out.flush();
    }

    /** Whoever read our output has stopped: nothing more needs to be said. */
    boolean isBroken() {
        return out.checkError();
    }

    String dim(String text) {
        return colour("2", text);
    }

    String state(String state) {
        return switch (state) {
            case "ready", "serving" -> colour("32", state);
            case "pulling", "starting", "warming" -> colour("33", state);
            case "idle" -> colour("36", state);
            case "error" -> colour("31", state);
            default -> colour("2", state);
        };
    }

    private String colour(String code, String text) {
        return colours ? "\u001b[" + code + "m" + text + "\u001b[0m" : text;
    }

    /** Columns as wide as their widest cell; the last one is not padded. */
    void table(List<String> header, List<List<String>> rows) {
        var all = new ArrayList<List<String>>();
        all.add(header);
        all.addAll(rows);
        int[] widths = new int[header.size()];
        for (List<String> row : all) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], visible(row.get(i)));
            }
        }
        for (List<String> row : all) {
            var line = new StringBuilder();
            for (int i = 0; i < widths.length; i++) {
                line.append(row.get(i));
                if (i + 1 < widths.length) {
                    line.repeat(' ', widths[i] - visible(row.get(i)) + 2);
                }
            }
            line(line.toString());
        }
    }

    private static int visible(String cell) {
        String plain = cell.replaceAll("\u001b\\[[0-9;]*m", "");
        return plain.codePointCount(0, plain.length());
    }

    static String size(long bytes) {
        if (bytes <= 0) {
            return "-";
        }
        String[] units = {"B", "KiB", "MiB", "GiB", "TiB"};
        double value = bytes;
        int unit = 0;
        while (value >= 1024 && unit < units.length - 1) {
            value /= 1024;
            unit++;
        }
        return unit == 0 ? bytes + " B" : String.format(Locale.ROOT, "%.1f %s", value, units[unit]);
    }
}
