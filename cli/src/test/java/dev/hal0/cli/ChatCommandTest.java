package dev.hal0.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hal0.cli.FakeControlPlane.Ending;
import dev.hal0.kernel.ErrorCode;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

class ChatCommandTest extends CliFixture {
    static final String CHAT = "POST /v1/chat/completions";
    static final String FIGURES = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2},"
            + "\"timings\":{\"predicted_per_second\":41.25}}\n\ndata: [DONE]\n\n";

    static String word(String text) {
        return "data: {\"choices\":[{\"delta\":{\"content\":\"" + text + "\"}}]}\n\n";
    }

    static String thought(String text) {
        return "data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"" + text + "\"}}]}\n\n";
    }

    @Test
    void chat_streamsTheWordsOnly() {
        server.onStream(CHAT, thought("hm") + word("Hel") + ": keep\n\n" + word("lo €") + FIGURES, Ending.PROPER);

        Result result = run("chat", "--system", "be brief", "--max-tokens", "5", "say", "@hello");

        assertThat(result).isEqualTo(new Result(0, "Hello €\n", ""));
        JsonNode body = server.bodies().getFirst();
        assertThat(body.path("model").asString()).isEqualTo("chat");
        assertThat(body.path("max_tokens").asInt()).isEqualTo(5);
        assertThat(body.path("stream_options").path("include_usage").asBoolean())
                .isTrue();
        assertThat(body.path("messages").toString()).contains("be brief", "say @hello");
        assertThat(interrupts.isUnhandled()).isTrue();
    }

    @Test
    void chatAtATerminal_showsThoughtsApartAndFigures() {
        terminals = terminal(80);
        colours = true;
        server.onStream(CHAT, thought("hm") + word("Hi\\u0007\\u001b[2J") + FIGURES, Ending.PROPER);

        Result result = run("chat", "hello");

        assertThat(result.out()).isEqualTo("\u001b[2mhm\u001b[0m\n\nHi[2J\n");
        assertThat(result.err()).contains("3 + 2 tokens, 41.3 tok/s");
    }

    @Test
    void chatInJson_isTheWholeAnswer() {
        server.on(CHAT, 200, "{\"choices\":[{\"message\":{\"content\":\"hi\"}}]}");

        Result result = run("chat", "--json", "-m", "qwen", "hello");

        assertThat(result.json().path("choices").size()).isEqualTo(1);
        assertThat(server.bodies().getFirst().path("stream").asBoolean(true)).isFalse();
        assertThat(server.bodies().getFirst().path("model").asString()).isEqualTo("qwen");
    }

    @Test
    void pipedText_isTheMessage() {
        server.onStream(CHAT, word("ok") + FIGURES, Ending.PROPER);
        input = "größer\nals €\n";

        assertThat(run("chat").out()).isEqualTo("ok\n");
        assertThat(server.bodies()
                        .getFirst()
                        .path("messages")
                        .path(0)
                        .path("content")
                        .asString())
                .isEqualTo("größer\nals €");
    }

    @Test
    void nothingToSay_isUsage() {
        assertThat(run("chat").exit()).isEqualTo(ExitCode.USAGE);
        assertThat(runAsJson("chat").code()).isEqualTo("cli.nothing_to_say");
    }

    @Test
    void errorEvent_failsWithItsCode() {
        server.onStream(CHAT, word("Hel") + "data: " + envelope(ErrorCode.SLOT_NOT_FOUND) + "\n\n", Ending.PROPER);

        Result result = run("chat", "hello");

        assertThat(result.exit()).isEqualTo(ExitCode.NOT_FOUND);
        assertThat(result.out()).isEqualTo("Hel\n");
        assertThat(result.err()).contains("Error: said");
    }

    @Test
    void connectionThatBreaksMidAnswer_fails() {
        server.onStream(CHAT, word("Hel"), Ending.BROKEN);

        Result result = run("chat", "hello");

        assertThat(result.exit()).isEqualTo(ExitCode.FAILED);
        assertThat(result.out()).isEqualTo("Hel\n");
        assertThat(result.err()).contains("broke off");
    }

    @Test
    void answerWithoutItsEnd_fails() {
        server.onStream(CHAT, word("Hel"), Ending.PROPER);

        Result result = run("chat", "hello");

        assertThat(result.exit()).isEqualTo(ExitCode.FAILED);
        assertThat(result.err()).contains("before it was complete");
    }

    @Test
    void garbledEvent_fails() {
        server.onStream(CHAT, "data: {oops\n\n", Ending.PROPER);

        assertThat(run("chat", "hello").err()).contains("not JSON").doesNotContain("Unexpected");
    }

    /** The JDK's client waited for the next token before it closed: a silent prefill could not be stopped. */
    @Test
    void interruptDuringASilentAnswer_closesTheConnectionAtOnce() throws Exception {
        server.onStream(CHAT, word("Hel"), Ending.NEVER);

        CompletableFuture<Result> run = start("chat", "hello");
        server.silent().await(20, TimeUnit.SECONDS);
        interrupts.interrupt();

        Result result = ended(run);
        assertThat(server.clientLeft().await(20, TimeUnit.SECONDS)).isTrue();
        assertThat(result.exit()).isEqualTo(ExitCode.FAILED);
        assertThat(result.err()).contains("Stopped");
    }

    /** The server holds the head back while a model loads. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void interruptBeforeTheHead_closesTheConnectionAtOnce(boolean json) throws Exception {
        server.onSilence(CHAT);

        CompletableFuture<Result> run = json ? start("chat", "hello", "--json") : start("chat", "hello");
        server.silent().await(20, TimeUnit.SECONDS);
        interrupts.interrupt();

        Result result = ended(run);
        assertThat(server.clientLeft().await(20, TimeUnit.SECONDS)).isTrue();
        assertThat(result.exit()).isEqualTo(ExitCode.FAILED);
        if (json) {
            assertThat(result.code()).isEqualTo("cli.stopped");
        }
    }

    @Test
    void silenceBeyondTheDeadline_isTimedOut() {
        deadlines = impatient();
        server.onStream(CHAT, word("Hel"), Ending.NEVER);

        assertThat(run("chat", "hello").exit()).isEqualTo(ExitCode.TIMED_OUT);
    }

    @Test
    void readerWhoLeaves_stopsTheAnswerSilently() throws Exception {
        output = new BrokenPipe();
        server.onStream(CHAT, word("Hel"), Ending.NEVER);

        Result result = ended(start("chat", "hello"));

        assertThat(server.clientLeft().await(20, TimeUnit.SECONDS)).isTrue();
        assertThat(result).isEqualTo(new Result(0, "", ""));
    }
}
