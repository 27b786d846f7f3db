package dev.hal0.runtime.podman;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.hal0.kernel.SlotName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** journalctl is a script here that serves entries of a file, from a cursor on, and dies when it is told to. */
class JournalSlotLogTest {
    private static final String SCRIPT = """
            cd "$0" || exit 9
            echo "$*" >>asked
            after=0
            for word in "$@"; do case $word in --after-cursor=*) after=${word#--after-cursor=} ;; esac; done
            awk -v after="$after" 'NR > after' entries
            case "$*" in *--follow*) [ ! -e die ] || { rm die; exit 1; }; exec sleep 300 ;; esac
            """;

    @TempDir
    Path folder;

    private JournalSlotLog log(String... messages) throws IOException {
        var entries = new StringBuilder();
        int cursor = 0;
        for (String message : messages) {
            cursor++;
            entries.append("{\"__CURSOR\":\"")
                    .append(cursor)
                    .append("\",\"MESSAGE\":")
                    .append(message)
                    .append("}\n");
        }
        Files.writeString(folder.resolve("entries"), entries);
        return new JournalSlotLog(new SlotName("chat"), List.of("/bin/sh", "-c", SCRIPT, folder.toString()));
    }

    @Test
    void tail_isTheLastLinesInOrder() throws IOException {
        assertThat(log("\"one\"", "\"two\"", "\"three\"").tail(2)).containsExactly("two", "three");
        assertThat(Files.readString(folder.resolve("asked")))
                .contains("_SYSTEMD_UNIT=hal0-slot@chat.service", "SYSLOG_IDENTIFIER=hal0-slot-chat");
    }

    @Test
    void whatIsNoUtf8_isALineAllTheSame() throws IOException {
        assertThat(log("[104,105,255]", "null", "\"x\"").tail(5)).containsExactly("hi\ufffd", "", "x");
    }

    /** podman says the name of what it stopped: that is no line of the engine's. */
    @Test
    void podmansOwnWord_isLeftOut() throws IOException {
        assertThat(log("\"bye\"", "\"hal0-slot-chat\"", "\"hello\"").tail(5)).containsExactly("bye", "hello");
    }

    /** Rule 14: each line exactly once, also when the reader dies in between. */
    @Test
    void readerThatDies_leavesNoGapAndRepeatsNothing() throws Exception {
        JournalSlotLog log = log("\"one\"", "\"two\"");
        Files.writeString(folder.resolve("die"), "");
        var heard = new ConcurrentLinkedQueue<String>();

        try (AutoCloseable following = log.follow(10, heard::add)) {
            await().atMost(Duration.ofSeconds(20))
                    .until(() -> heard.size() == 2 && !Files.exists(folder.resolve("die")));
            Files.writeString(
                    folder.resolve("entries"),
                    Files.readString(folder.resolve("entries")) + "{\"__CURSOR\":\"3\",\"MESSAGE\":\"three\"}\n");

            await().atMost(Duration.ofSeconds(20)).until(() -> heard.size() >= 3);
        }
        assertThat(heard).containsExactly("one", "two", "three");
    }
}
