package dev.hal0.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.reader.impl.DefaultParser;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;

/** The conversation at a terminal. Ctrl-C stops the answer, not the program; at the prompt, twice, it ends. */
final class ChatPrompt {
    private static final String HELP =
            "/new  forget the conversation   /help  this   /exit  leave   end a line with \\ to go on in the next   "
                    + "Ctrl-C  stop an answer";

    private final Console console;
    private final Conversation conversation;
    private final Map<String, String> environment;
    private final Terminal terminal;

    ChatPrompt(Console console, Conversation conversation, Map<String, String> environment, Terminal terminal) {
        this.console = console;
        this.conversation = conversation;
        this.environment = environment;
        this.terminal = terminal;
    }

    static Terminal terminal() throws IOException {
        return TerminalBuilder.builder()
                .system(true)
                .encoding(StandardCharsets.UTF_8)
                .build();
    }

    int run() {
        LineReader reader = reader();
        console.note(console.dim(HELP));
        boolean interruptedBefore = false;
        while (true) {
            try {
                String message = reader.readLine("> ").replace("\\\n", "\n").strip();
                interruptedBefore = false;
                if (!handle(message)) {
                    return ExitCode.OK;
                }
            } catch (UserInterruptException interrupt) {
                if (interruptedBefore) {
                    return ExitCode.OK;
                }
                interruptedBefore = true;
                console.note(console.dim("Ctrl-C again, Ctrl-D or /exit ends."));
            } catch (EndOfFileException end) {
                return ExitCode.OK;
            }
        }
    }

    private LineReader reader() {
        // A message is prose: quotes need no partner, "!" is no history, a backslash is itself unless it ends the line.
        var parser = new DefaultParser()
                .quoteChars(new char[0])
                .eofOnUnclosedQuote(false)
                .eofOnEscapedNewLine(true);
        LineReaderBuilder builder = LineReaderBuilder.builder()
                .terminal(terminal)
                .appName("hal0")
                .parser(parser)
                .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true)
                .option(LineReader.Option.HISTORY_IGNORE_SPACE, true)
                .variable(LineReader.SECONDARY_PROMPT_PATTERN, "… ");
        historyFile(environment).ifPresent(file -> builder.variable(LineReader.HISTORY_FILE, file));
        return builder.build();
    }

    /** @return false to end */
    private boolean handle(String message) {
        switch (message) {
            case "" -> {}
            case "/exit", "/quit" -> {
                return false;
            }
            case "/help" -> console.note(console.dim(HELP));
            case "/new" -> {
                conversation.forget();
                console.note(console.dim("forgotten"));
            }
            default -> answer(message);
        }
        return !console.isBroken();
    }

    private void answer(String message) {
        var stopped = new AtomicBoolean();
        Terminal.SignalHandler before = terminal.handle(Terminal.Signal.INT, signal -> {
            stopped.set(true);
            conversation.stop();
        });
        try {
            Conversation.Answer answer = new AnswerPrinter(console, conversation).print(message);
            if (!answer.summary().isEmpty()) {
                console.note(console.dim(answer.summary()));
            }
        } catch (CliFailure failure) {
            if (stopped.get()) {
                console.note(console.dim("stopped"));
            } else {
                Main.tell(failure, console);
            }
        } finally {
            terminal.handle(Terminal.Signal.INT, before);
        }
    }

    /** Below the XDG state folder, for its owner only: it holds what was typed. Empty where it cannot be written. */
    static Optional<Path> historyFile(Map<String, String> environment) {
        String state = environment.getOrDefault("XDG_STATE_HOME", "");
        Path folder = (state.isBlank() ? Path.of(System.getProperty("user.home"), ".local/state") : Path.of(state))
                .resolve("hal0");
        try {
            if (!Files.isDirectory(folder)) {
                Files.createDirectories(folder);
                Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx------"));
            }
            return Optional.of(folder.resolve("chat-history"));
        } catch (IOException | UnsupportedOperationException notWritable) {
            return Optional.empty();
        }
    }
}
