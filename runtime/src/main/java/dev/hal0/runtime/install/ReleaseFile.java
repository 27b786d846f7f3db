package dev.hal0.runtime.install;

import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What a suite's signed {@code InRelease} says.
 *
 * @param files by path below the suite's folder
 */
record ReleaseFile(Map<String, String> fields, Map<String, Hash> files) {
    record Hash(String sha256, long size) {}

    private static final Pattern ENTRY = Pattern.compile("\\s+([0-9a-f]{64})\\s+([0-9]{1,15})\\s+(\\S+)");

    ReleaseFile {
        fields = Map.copyOf(fields);
        files = Map.copyOf(files);
    }

    static ReleaseFile parse(List<String> lines) {
        var fields = new HashMap<String, String>();
        var files = new HashMap<String, Hash>();
        String current = "";
        for (String line : lines) {
            if (line.startsWith(" ") || line.startsWith("\t")) {
                var entry = ENTRY.matcher(line);
                if (current.equals("SHA256") && entry.matches()) {
                    files.put(entry.group(3), new Hash(entry.group(1), Long.parseLong(entry.group(2))));
                }
            } else if (line.indexOf(':') > 0) {
                current = line.substring(0, line.indexOf(':'));
                fields.put(current, line.substring(line.indexOf(':') + 1).strip());
            }
        }
        return new ReleaseFile(fields, files);
    }

    String codename() {
        return fields.getOrDefault("Codename", "");
    }

    boolean describes(String suite) {
        return suite.equals(codename()) || suite.equals(fields.get("Suite"));
    }

    boolean filesAreNamedByHash() {
        return "yes".equals(fields.get("Acquire-By-Hash"));
    }

    /** Empty when it never expires, as for suites that no longer change. */
    Optional<Instant> validUntil() throws UntrustedIndexException {
        String text = fields.get("Valid-Until");
        if (text == null) {
            return Optional.empty();
        }
        try {
            return Optional.of(Instant.from(
                    DateTimeFormatter.RFC_1123_DATE_TIME.parse(text.replaceFirst("(UTC|\\+0000)$", "GMT"))));
        } catch (DateTimeParseException malformed) {
            throw new UntrustedIndexException("is valid until '" + text + "', which is no date");
        }
    }
}
