package dev.hal0.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;

/** The conversation at a terminal. Ctrl-C stops the answer, not the program; at the prompt, twice, it ends. */
final class ChatPrompt {
    private static final String HELP =
            "/new  forget the conversation   /exit  leave   end a line with \\ to go on in the next   Ctrl-C  stop an answer";

    private final Console console;
    private final Conversation conversation;

    ChatPrompt(Console console, Conversation conversation) {
        this.console = console;
        this.conversation = conversation;
    }

    int run() throws IOException {
        try (Terminal terminal = TerminalBuilder.builder().system(true).build()) {
            LineReader reader = LineReaderBuilder.builder()
                    .terminal(terminal)
                    .appName("hal0")
                    .variable(LineReader.HISTORY_FILE, historyFile())
                    .variable(LineReader.SECONDARY_PROMPT_PATTERN, "… ")
                    .build();
            console.note(console.dim(HELP));
            boolean interruptedBefore = false;
            while (true) {
                try {
                    String line = reader.readLine("> ");
                    interruptedBefore = false;
                    if (!handle(terminal, line.strip())) {
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
    }

    /** @return false to end */
    private boolean handle(Terminal terminal, String line) {
        switch (line) {
            case "" -> {}
            case "/exit", "/quit" -> {
                return false;
            }
            case "/help" -> console.note(console.dim(HELP));
            case "/new" -> {
                conversation.forget();
                console.note(console.dim("forgotten"));
            }
            default -> answer(terminal, line);
        }
        return true;
    }

    private void answer(Terminal terminal, String line) {
        var stopped = new AtomicBoolean();
        Terminal.SignalHandler before = terminal.handle(Terminal.Signal.INT, signal -> {
            stopped.set(true);
            conversation.stop();
        });
        try {
            Conversation.Answer answer =
                    conversation.say(line, console::text, thought -> console.text(console.dim(thought)));
            console.line("");
            console.note(console.dim(stopped.get() ? "stopped" : answer.summary()));
        } catch (CliFailure failure) {
            console.line("");
            console.note(stopped.get() ? console.dim("stopped") : "Error: " + failure.getMessage());
            if (!stopped.get() && !failure.remedy().isEmpty()) {
                console.note("       " + failure.remedy());
            }
        } finally {
            terminal.handle(Terminal.Signal.INT, before);
        }
    }

    private static Path historyFile() throws IOException {
        String state = System.getenv().getOrDefault("XDG_STATE_HOME", "");
        Path folder = (state.isBlank() ? Path.of(System.getProperty("user.home"), ".local/state") : Path.of(state))
                .resolve("hal0");
        Files.createDirectories(folder);
        return folder.resolve("chat-history");
    }
}
