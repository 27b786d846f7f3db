package dev.hal0.cli;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@CommandLine.Command(
        name = "chat",
        description = "Talk to a slot: one answer with TEXT (or piped input), a conversation without.")
final class ChatCommand extends Command {
    @Parameters(paramLabel = "TEXT", arity = "0..*")
    List<String> words = List.of();

    @Option(
            names = {"-s", "--slot"},
            paramLabel = "NAME",
            description = "Which slot (default chat).")
    String slot = "chat";

    @Option(
            names = {"-m", "--model"},
            paramLabel = "ID",
            description = "A model id instead of a slot.")
    Optional<String> model = Optional.empty();

    @Option(names = "--system", paramLabel = "TEXT", description = "System prompt.")
    Optional<String> system = Optional.empty();

    @Option(names = "--max-tokens", paramLabel = "N")
    Optional<Integer> maxTokens = Optional.empty();

    @Override
    public Integer call() throws IOException {
        var conversation = new Conversation(api(), model.orElse(slot), system, maxTokens);
        String text = String.join(" ", words);
        if (text.isBlank() && !isJson() && console().isConversational()) {
            try (var terminal = ChatPrompt.terminal()) {
                return new ChatPrompt(console(), conversation, surroundings().environment(), terminal).run();
            }
        }
        if (text.isBlank()) {
            text = console().input().strip();
        }
        if (text.isBlank()) {
            throw new CliFailure(
                    ExitCode.USAGE,
                    "cli.nothing_to_say",
                    "There is nothing to say.",
                    "Give a text: hal0 chat \"hello\".");
        }
        return once(conversation, text);
    }

    private int once(Conversation conversation, String text) {
        var stopped = new AtomicBoolean();
        try (var _ = surroundings().interrupts().onInterrupt(() -> {
            stopped.set(true);
            conversation.stop();
        })) {
            if (isJson()) {
                console().json(conversation.whole(text));
                return ExitCode.OK;
            }
            Conversation.Answer answer = new AnswerPrinter(console(), conversation).print(text);
            if (console().isErrorATerminal() && !answer.summary().isEmpty()) {
                console().note(console().dim(answer.summary()));
            }
            return ExitCode.OK;
        } catch (CliFailure failure) {
            throw stopped.get() ? Conversation.stopped() : failure;
        }
    }
}
