package dev.hal0.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TableTest {
    private static String printed(Table table, Terminals terminals) {
        var out = new ByteArrayOutputStream();
        var stream = new PrintStream(out, false, StandardCharsets.UTF_8);
        table.print(new Console(InputStream.nullInputStream(), stream, stream, terminals, true, "hal0"));
        return out.toString(StandardCharsets.UTF_8);
    }

    private static Table slots() {
        return new Table("NAME", "STATE", "MODEL", "MESSAGE")
                .row("chat", "ready", "qwen3-30b-a3b-instruct-q4_k_m", "")
                .row("日本", "error", "e\u0301", "the engine said:\n\u001b[31mno memory\tleft");
    }

    @Test
    void file_getsEverythingInWholeLines() {
        assertThat(printed(slots(), Terminals.NONE)).isEqualTo("""
                NAME  STATE  MODEL                          MESSAGE
                chat  ready  qwen3-30b-a3b-instruct-q4_k_m
                日本  error  e\u0301                              the engine said: [31mno memory left
                """);
    }

    @Test
    void terminal_getsRowsThatFitAndColours() {
        var terminal = new Terminals(true, true, true, () -> 50);

        assertThat(printed(slots(), terminal)).isEqualTo("""
                NAME  STATE  MODEL              MESSAGE
                chat  \u001b[32mready\u001b[0m  qwen3-30b-a3b-in…
                日本  \u001b[31merror\u001b[0m  e\u0301                  the engine said: …
                """);
    }

    @Test
    void hopelesslyNarrowTerminal_keepsNamesAndHeaders() {
        var terminal = new Terminals(true, true, true, () -> 5);

        assertThat(printed(slots(), terminal).lines().findFirst()).contains("NAME  STATE  MODEL   MESSAGE");
    }

    @ParameterizedTest
    @CsvSource({
        "-1,-",
        "0,-",
        "1023,1023 B",
        "1024,1.0 KiB",
        "1048575,1.0 MiB",
        "1073741824,1.0 GiB",
        "5368709119,5.0 GiB",
        "9223372036854775807,8.0 EiB"
    })
    void size_isForPeople(long bytes, String text) {
        assertThat(Console.size(bytes)).isEqualTo(text);
    }
}
