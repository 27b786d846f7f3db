package dev.hal0.cli;

import static dev.hal0.cli.ChatCommandTest.CHAT;
import static dev.hal0.cli.ChatCommandTest.FIGURES;
import static dev.hal0.cli.ChatCommandTest.word;
import static org.assertj.core.api.Assertions.assertThat;

import dev.hal0.cli.FakeControlPlane.Ending;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jline.terminal.Terminal;
import org.jline.terminal.impl.DumbTerminal;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChatPromptTest {
    @TempDir
    Path home;

    private final FakeControlPlane server = new FakeControlPlane();
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    @AfterEach
    void stop() {
        server.close();
    }

    private int converse(String typed) throws Exception {
        var keys = new ByteArrayInputStream(typed.getBytes(StandardCharsets.UTF_8));
        try (Terminal terminal = terminal(keys)) {
            return prompt(terminal).run();
        }
    }

    private static Terminal terminal(InputStream keys) throws Exception {
        return new DumbTerminal("test", "dumb", keys, OutputStream.nullOutputStream(), StandardCharsets.UTF_8);
    }

    private ChatPrompt prompt(Terminal terminal) {
        var console = new Console(
                InputStream.nullInputStream(),
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8),
                Terminals.NONE,
                false,
                "hal0");
        var conversation = new Conversation(
                new Api(server.url(), Deadlines.DEFAULT), "chat", Optional.of("be brief"), Optional.empty());
        return new ChatPrompt(console, conversation, Map.of("XDG_STATE_HOME", home.toString()), terminal);
    }

    private String messages(int request) {
        return server.bodies().get(request).path("messages").toString();
    }

    @Test
    void answers_areRememberedUntilNew() throws Exception {
        server.onStream(CHAT, word("eins") + FIGURES, Ending.PROPER);

        assertThat(converse("one\ntwo\n/new\nthree\n/exit\nnever\n")).isZero();

        assertThat(out.toString(StandardCharsets.UTF_8)).isEqualTo("eins\neins\neins\n");
        assertThat(err.toString(StandardCharsets.UTF_8)).contains("3 + 2 tokens, 41.3 tok/s", "forgotten");
        assertThat(server.bodies()).hasSize(3);
        assertThat(messages(1)).contains("be brief", "one", "eins", "two");
        assertThat(messages(2)).contains("be brief", "three").doesNotContain("one");
    }

    /** JLine's defaults would expand "!!", eat the backslash and wait for the quote's partner. */
    @Test
    void prose_isTakenAsItIsTyped() throws Exception {
        server.onStream(CHAT, word("ok") + FIGURES, Ending.PROPER);

        converse("it's \"100% in C:\\new!! größer\nfirst\\\nsecond\n");

        assertThat(server.bodies()
                        .get(0)
                        .path("messages")
                        .path(1)
                        .path("content")
                        .asString())
                .isEqualTo("it's \"100% in C:\\new!! größer");
        assertThat(server.bodies()
                        .get(1)
                        .path("messages")
                        .path(3)
                        .path("content")
                        .asString())
                .isEqualTo("first\nsecond");
    }

    @Test
    void failedAnswer_isToldAndForgotten() throws Exception {
        server.onStream(CHAT, word("Hel"), Ending.BROKEN);
        server.onStream(CHAT, word("ok") + FIGURES, Ending.PROPER);

        assertThat(converse("one\ntwo\n")).isZero();

        assertThat(err.toString(StandardCharsets.UTF_8)).contains("Error: The stream broke off");
        assertThat(messages(1)).contains("two").doesNotContain("one");
    }

    @Test
    void interruptDuringAnAnswer_stopsItAndTheConversationGoesOn() throws Exception {
        server.onStream(CHAT, word("Hel"), Ending.NEVER);
        server.onStream(CHAT, word("ok") + FIGURES, Ending.PROPER);
        var keyboard = new PipedOutputStream();
        try (var keys = new PipedInputStream(keyboard);
                Terminal terminal = terminal(keys)) {
            CompletableFuture<Integer> run =
                    CompletableFuture.supplyAsync(() -> prompt(terminal).run());
            keyboard.write("one\n".getBytes(StandardCharsets.UTF_8));
            keyboard.flush();
            server.silent().await(20, TimeUnit.SECONDS);
            terminal.raise(Terminal.Signal.INT);
            assertThat(server.clientLeft().await(20, TimeUnit.SECONDS)).isTrue();
            keyboard.write("two\n/exit\n".getBytes(StandardCharsets.UTF_8));
            keyboard.flush();

            assertThat(run.get(20, TimeUnit.SECONDS)).isZero();
        }

        assertThat(err.toString(StandardCharsets.UTF_8)).contains("stopped").doesNotContain("Error");
        assertThat(out.toString(StandardCharsets.UTF_8)).contains("ok");
        assertThat(messages(1)).contains("two").doesNotContain("one");
    }

    @Test
    void history_liesInTheStateFolderForItsOwnerOnly() throws Exception {
        server.onStream(CHAT, word("ok") + FIGURES, Ending.PROPER);

        converse("remember me\n secret\n/exit\n");

        Path folder = home.resolve("hal0");
        assertThat(Files.readString(folder.resolve("chat-history")))
                .contains("remember me")
                .doesNotContain("secret");
        assertThat(Files.getPosixFilePermissions(folder)).hasSize(3);
    }

    @Test
    void stateFolderThatCannotBe_meansNoHistory() throws Exception {
        Path file = Files.createFile(home.resolve("hal0"));

        assertThat(ChatPrompt.historyFile(Map.of("XDG_STATE_HOME", file.toString())))
                .isEmpty();
    }
}
