package dev.hal0.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

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
        if (text.isBlank() && !console().isInteractive()) {
            text = new String(System.in.readAllBytes(), StandardCharsets.UTF_8).strip();
            if (text.isBlank()) {
                throw new CliFailure(
                        ExitCode.USAGE,
                        "cli.nothing_to_say",
                        "There is nothing to say.",
                        "Give a text: hal0 chat \"hello\".");
            }
        }
        return text.isBlank() ? new ChatPrompt(console(), conversation).run() : once(conversation, text);
    }

    private int once(Conversation conversation, String text) {
        if (isJson()) {
            JsonNode answer = conversation.whole(text);
            console().json(answer);
            return ExitCode.OK;
        }
        Conversation.Answer answer = conversation.say(text, console()::text, thought -> {
            if (console().isInteractive()) {
                console().text(console().dim(thought));
            }
        });
        console().line("");
        if (console().isInteractive()) {
            console().note(console().dim(answer.summary()));
        }
        return ExitCode.OK;
    }
}
