package dev.hal0.cli;

import dev.hal0.kernel.Json;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Standard input, output and error in UTF-8, whatever the locale. Colours and movement only for a person who wants them; what
 * came from elsewhere (a model's words, an engine's log) cannot steer the terminal.
 */
final class Console {
    private static final Pattern COMMAND = Pattern.compile(
            "(?<![\\w./-])hal0(?= (?:serve|status|probe|explain|registry|slot|model|engine|chat|completion|version)\\b)");

    private final InputStream in;
    private final PrintStream out;
    private final PrintStream error;
    private final Terminals terminals;
    private final boolean colours;
    private final String command;

    /** @param command how this program was called, such as {@code ./hal0} */
    Console(InputStream in, PrintStream out, PrintStream error, Terminals terminals, boolean colours, String command) {
        this.in = in;
        this.out = out;
        this.error = error;
        this.terminals = terminals;
        this.colours = colours && terminals.out();
        this.command = command;
    }

    static Console ofThisProcess(Map<String, String> environment) {
        var out = new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8);
        var error = new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8);
        boolean wanted = environment.getOrDefault("NO_COLOR", "").isEmpty()
                && !environment.getOrDefault("TERM", "").equals("dumb");
        return new Console(
                System.in,
                out,
                error,
                Terminals.ofThisProcess(environment),
                wanted,
                environment.getOrDefault("HAL0_COMMAND", "hal0"));
    }

    /** Whether a person can be asked and told. */
    boolean isInteractive() {
        return terminals.in() && terminals.error();
    }

    /** Whether a conversation can be had: a person types, and sees what is answered. */
    boolean isConversational() {
        return terminals.in() && terminals.out();
    }

    boolean isOutputATerminal() {
        return terminals.out();
    }

    boolean isErrorATerminal() {
        return terminals.error();
    }

    /** How wide a line of output may be. */
    int columns() {
        return terminals.columns();
    }

    /** All of standard input. */
    String input() {
        try {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
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
    String ask(String question) {
        error.print(question + " [y/N] ");
        error.flush();
        try {
            String answer = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8)).readLine();
            return answer == null ? "" : answer;
        } catch (IOException unreadable) {
            return "";
        }
    }

    void note(String text) {
        error.println(asTyped(text));
    }

    /** What to type next. */
    void next(String text) {
        line(asTyped(text));
    }

    /** Commands in the text as they can be typed here: from a checkout {@code ./hal0 model add}. */
    private String asTyped(String text) {
        return command.equals("hal0") ? text : COMMAND.matcher(text).replaceAll(Matcher.quoteReplacement(command));
    }

    /** Part of a line on standard error. */
    void noteText(String text) {
        error.print(text);
        error.flush();
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

    /** Text from elsewhere for standard output: as it is for a file, without control characters for a terminal. */
    String foreign(String text) {
        return terminals.out() ? harmless(text) : text;
    }

    /** Without the characters that move the cursor, ring, or start an escape sequence; lines and tabs stay. */
    static String harmless(String text) {
        return filtered(text, false);
    }

    /** The same on one line. */
    static String oneLine(String text) {
        return filtered(text, true);
    }

    private static String filtered(String text, boolean oneLine) {
        if (text.codePoints().noneMatch(Character::isISOControl)) {
            return text;
        }
        var kept = new StringBuilder(text.length());
        text.codePoints().forEach(codePoint -> {
            if (codePoint == '\n' || codePoint == '\t') {
                kept.appendCodePoint(oneLine ? ' ' : codePoint);
            } else if (!Character.isISOControl(codePoint)) {
                kept.appendCodePoint(codePoint);
            }
        });
        return kept.toString();
    }

    /** In powers of 1024; "-" for none. */
    static String size(long bytes) {
        if (bytes <= 0) {
            return "-";
        }
        if (bytes < 1024) {
            return bytes + " B";
        }
        String[] units = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
        double value = bytes / 1024.0;
        int unit = 0;
        // What would be printed as 1024.0 is 1.0 of the next.
        while (value >= 1023.95 && unit < units.length - 1) {
            value /= 1024;
            unit++;
        }
        return oneDecimal(value) + " " + units[unit];
    }

    /** By hand: the JDK's formatter loads its locale data first, 10 ms for a table of sizes. */
    static String oneDecimal(double value) {
        long tenths = Math.round(value * 10);
        return tenths / 10 + "." + tenths % 10;
    }
}
