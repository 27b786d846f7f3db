package dev.hal0.runtime.install;

import java.io.IOException;
import java.net.URI;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where this machine's apt fetches packages from. Only what may be a Debian archive counts: binary packages over HTTP with
 * a {@code main} component, security archives left out. Which of them has the engine's packages only they can tell.
 */
final class AptSources {
    private static final Logger log = LoggerFactory.getLogger(AptSources.class);

    private AptSources() {}

    /** Without a trailing slash and without duplicates; those that look most like Debian's own archive first. */
    static List<URI> mirrors(Path aptDirectory) {
        var found = new LinkedHashSet<URI>();
        for (Path file : files(aptDirectory)) {
            try {
                String text = Files.readString(file);
                found.addAll(file.toString().endsWith(".sources") ? stanzas(text) : lines(text));
            } catch (IOException unreadable) {
                log.warn("{} is left out: {}", file, unreadable.toString());
            }
        }
        return Stream.concat(
                        found.stream().filter(AptSources::namedDebian),
                        found.stream().filter(uri -> !namedDebian(uri)))
                .toList();
    }

    /** The one-line style. */
    static List<URI> lines(String text) {
        var mirrors = new ArrayList<URI>();
        for (String line : text.lines().toList()) {
            String entry = withoutComment(line).strip();
            if (!entry.matches("deb\\s.*")) {
                continue;
            }
            String[] words = entry.substring(3)
                    .strip()
                    .replaceFirst("^\\[[^\\]]*\\]\\s*", "")
                    .split("\\s+");
            if (words.length >= 3) {
                add(mirrors, words[0], List.of(words[1]), List.of(words).subList(2, words.length));
            }
        }
        return mirrors;
    }

    /** The deb822 style. */
    static List<URI> stanzas(String text) {
        var mirrors = new ArrayList<URI>();
        Map<String, String> fields = new LinkedHashMap<>();
        String current = "";
        for (String line : (text + "\n\n").split("\n", -1)) {
            if (line.startsWith("#")) {
                continue;
            }
            if (line.isBlank()) {
                addStanza(mirrors, fields);
                fields.clear();
            } else if (Character.isWhitespace(line.charAt(0))) {
                fields.merge(current, line, (first, more) -> first + " " + more);
            } else if (line.indexOf(':') > 0) {
                current = line.substring(0, line.indexOf(':')).strip().toLowerCase(Locale.ROOT);
                fields.put(current, line.substring(line.indexOf(':') + 1));
            }
        }
        return mirrors;
    }

    private static void addStanza(List<URI> mirrors, Map<String, String> fields) {
        boolean enabled = !List.of("no", "false", "without", "off", "disable", "0")
                .contains(fields.getOrDefault("enabled", "yes").strip().toLowerCase(Locale.ROOT));
        if (enabled && words(fields, "types").contains("deb")) {
            words(fields, "uris")
                    .forEach(uri -> add(mirrors, uri, words(fields, "suites"), words(fields, "components")));
        }
    }

    private static void add(List<URI> mirrors, String address, List<String> suites, List<String> components) {
        boolean security = suites.stream().allMatch(suite -> suite.matches(".*(-security|/updates)/?"));
        if (!address.matches("(?i)https?://.+") || !components.contains("main") || security) {
            return;
        }
        try {
            mirrors.add(URI.create(address.replaceFirst("/+$", "")));
        } catch (IllegalArgumentException notAnAddress) {
            log.debug("An apt source is no URI: {}", notAnAddress.toString());
        }
    }

    private static List<Path> files(Path aptDirectory) {
        var files = new ArrayList<Path>();
        Path folder = aptDirectory.resolve("sources.list.d");
        if (Files.isDirectory(folder)) {
            try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder, "*.{list,sources}")) {
                entries.forEach(files::add);
            } catch (IOException unreadable) {
                log.warn("{} is left out: {}", folder, unreadable.toString());
            }
        }
        files.sort(null);
        Path main = aptDirectory.resolve("sources.list");
        if (Files.isRegularFile(main)) {
            files.addFirst(main);
        }
        return files;
    }

    private static String withoutComment(String line) {
        int hash = line.indexOf('#');
        return hash < 0 ? line : line.substring(0, hash);
    }

    private static List<String> words(Map<String, String> fields, String name) {
        return Arrays.stream(fields.getOrDefault(name, "").strip().split("\\s+"))
                .filter(word -> !word.isEmpty())
                .toList();
    }

    private static boolean namedDebian(URI uri) {
        return String.valueOf(uri.getPath()).endsWith("/debian");
    }
}
