package dev.hal0.runtime.podman;

import dev.hal0.kernel.CommandOptions;
import dev.hal0.kernel.Commands;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.Json;
import dev.hal0.kernel.SlotName;
import dev.hal0.slots.SlotLog;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/**
 * An engine's output out of systemd's journal, which takes each line straight from the engine and keeps it across restarts of
 * everything else. Reading needs no root: the control plane's user is in group {@code systemd-journal}. A follower knows the
 * cursor of the last line it delivered, so that a reader that dies leaves neither a gap nor a repetition.
 */
final class JournalSlotLog implements SlotLog {
    static final List<String> JOURNALCTL = List.of("journalctl");

    private static final Logger log = LoggerFactory.getLogger(JournalSlotLog.class);
    private static final Duration TAIL = Duration.ofSeconds(8);
    private static final int TAIL_BYTES = 32 << 20;
    private static final long AGAIN_MILLIS = 1_000;

    private final SlotName slot;
    private final List<String> journalctl;

    /** @param journalctl the command to read with */
    JournalSlotLog(SlotName slot, List<String> journalctl) {
        this.slot = slot;
        this.journalctl = List.copyOf(journalctl);
    }

    private record Entry(String cursor, String line) {}

    @Override
    public List<String> tail(int lines) {
        if (lines <= 0) {
            return List.of();
        }
        try {
            // podman's own name for the container stands between two lives and is filtered: look a little further.
            List<String> read = new Commands()
                    .run(
                            command("--lines=" + (lines + 4)),
                            CommandOptions.within(TAIL).withOutputLimit(TAIL_BYTES))
                    .stdout()
                    .lines()
                    .map(this::entry)
                    .flatMap(Optional::stream)
                    .map(Entry::line)
                    .toList();
            return read.subList(Math.max(0, read.size() - lines), read.size());
        } catch (Hal0Exception unreadable) {
            log.warn("slot {}: its journal cannot be read: {}", slot, unreadable.message());
            return List.of();
        }
    }

    private List<String> command(String... more) {
        var command = new ArrayList<>(journalctl);
        command.addAll(List.of("--quiet", "--no-pager", "--all", "--output=json", "--output-fields=MESSAGE"));
        command.addAll(List.of(more));
        command.add("_SYSTEMD_UNIT=hal0-slot@" + slot + ".service");
        command.add("SYSLOG_IDENTIFIER=" + container());
        return command;
    }

    private String container() {
        return "hal0-slot-" + slot;
    }

    /** Empty for what is no line of the engine's: podman says the name of what it stopped. */
    private Optional<Entry> entry(String json) {
        try {
            JsonNode read = Json.LENIENT.readTree(json);
            String line = text(read.path("MESSAGE"));
            return line.equals(container())
                    ? Optional.empty()
                    : Optional.of(new Entry(read.path("__CURSOR").asString(""), line));
        } catch (JacksonException cut) {
            return Optional.empty();
        }
    }

    /** What is no UTF-8 comes as an array of bytes. */
    private static String text(JsonNode message) {
        if (!message.isArray()) {
            return message.asString("");
        }
        var bytes = new ByteArrayOutputStream();
        message.forEach(value -> bytes.write(value.asInt(0)));
        return bytes.toString(StandardCharsets.UTF_8);
    }

    @Override
    public AutoCloseable follow(int backfill, Consumer<String> listener) {
        var closed = new CountDownLatch(1);
        var reader = new AtomicReference<Process>();
        Thread.ofVirtual().name("journal-" + slot).start(() -> {
            String cursor = "";
            try {
                do {
                    cursor = deliver(cursor, backfill, listener, closed, reader);
                } while (!closed.await(AGAIN_MILLIS, TimeUnit.MILLISECONDS));
            } catch (InterruptedException closing) {
                Thread.currentThread().interrupt();
            }
        });
        return () -> {
            closed.countDown();
            Process running = reader.get();
            if (running != null) {
                running.destroy();
            }
        };
    }

    /** @return the cursor of the last line that was delivered */
    private String deliver(
            String cursor,
            int backfill,
            Consumer<String> listener,
            CountDownLatch closed,
            AtomicReference<Process> reader) {
        String last = cursor;
        List<String> command = cursor.isEmpty()
                ? command("--follow", "--lines=" + backfill)
                : command("--follow", "--lines=all", "--after-cursor=" + cursor);
        Process process;
        try {
            process = new ProcessBuilder(command)
                    .redirectInput(new File("/dev/null"))
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
        } catch (IOException missing) {
            log.warn("slot {}: its journal cannot be followed: {}", slot, missing.getMessage());
            return last;
        }
        reader.set(process);
        try (BufferedReader output = process.inputReader(StandardCharsets.UTF_8)) {
            String json;
            while (closed.getCount() > 0 && (json = output.readLine()) != null) {
                Optional<Entry> entry = entry(json);
                if (entry.isPresent()) {
                    listener.accept(entry.get().line());
                    last = entry.get().cursor();
                }
            }
        } catch (IOException ended) {
            log.debug("slot {}: the journal's reader ended: {}", slot, ended.toString());
        } finally {
            process.destroy();
        }
        return last;
    }
}
