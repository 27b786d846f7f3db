package dev.hal0.helper.daemon;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Writes a unit whose program puts its words into a file, and the file that it should be: for the real systemd of the box,
 * which knows its own rules better than {@link SystemdReader} does.
 */
final class HostileWords {
    private static final List<String> PARTS = List.of(
            "%",
            "%%", "%n", "%h", "$", "$$", "${PATH}", "$PATH", "\\", "\\\\", "\\n", "\\x41", "\"", "'", ";", " ", "#",
            "=", "-", "@", "!", ":", "+", "|", "`", "é", "漢", "🙂", "\u00a0", "a", "B", "~", "*", "{}");

    private HostileWords() {}

    /** @param arguments unit file, file that the unit writes, file to compare it with, seed */
    public static void main(String[] arguments) throws IOException {
        var random = new Random(Long.parseLong(arguments[3]));
        var words = new ArrayList<String>();
        for (int i = 0; i < 2_000; i++) {
            var word = new StringBuilder();
            for (int parts = random.nextInt(7); parts > 0; parts--) {
                word.append(PARTS.get(random.nextInt(PARTS.size())));
            }
            words.add(word.toString());
        }
        var command = new ArrayList<>(List.of("/bin/sh", "-c", "printf '%s\\0' \"$@\" >" + arguments[1], "words"));
        command.addAll(words);
        Files.writeString(Path.of(arguments[0]), "[Service]\nType=oneshot\nExecStart=" + UnitWord.line(command) + "\n");
        Files.writeString(Path.of(arguments[2]), String.join("\0", words) + "\0");
    }
}
