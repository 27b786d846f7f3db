package dev.hal0.runtime.install;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What {@code apt.conf} and {@code apt.conf.d} say, as apt reads them: {@code A::B "value";} and {@code A { B "value"; };}
 * mean the same, names have no case, the last one wins. Lists are not kept, since nothing here asks for one.
 */
record AptConfiguration(Map<String, String> values) {
    private static final Logger log = LoggerFactory.getLogger(AptConfiguration.class);

    private static final Pattern FILE_NAME = Pattern.compile("[A-Za-z0-9_-]+|[A-Za-z0-9._-]+\\.conf");
    private static final Set<String> OFF = Set.of("no", "false", "without", "off", "disable", "0");
    /** Comments, {@code #clear} lines, quoted texts, punctuation, words; in this order. */
    private static final Pattern TOKEN =
            Pattern.compile("(?s)(?<clear>#clear\\s+[^;\\n]*;?)|(?://|#)[^\\n]*|/\\*.*?(?:\\*/|$)"
                    + "|\"(?<quoted>[^\"\\n]*)\"?|(?<mark>[;{}])|(?<word>[^\\s;{}\"]+)");

    AptConfiguration {
        values = Map.copyOf(values);
    }

    static AptConfiguration read(Path aptDirectory) {
        var values = new HashMap<String, String>();
        for (Path file : files(aptDirectory)) {
            try {
                parse(Files.readString(file), values);
            } catch (IOException unreadable) {
                log.warn("{} is left out: {}", file, unreadable.toString());
            }
        }
        return new AptConfiguration(values);
    }

    /** Without a trusted clock, which {@code Check-Date} stands for, apt cannot tell what has expired either. */
    boolean checksValidUntil() {
        return on("acquire::check-valid-until") && on("acquire::check-date");
    }

    private boolean on(String name) {
        return !OFF.contains(values.getOrDefault(name, "true").strip().toLowerCase(Locale.ROOT));
    }

    static void parse(String text, Map<String, String> values) {
        var outer = new ArrayList<String>();
        var statement = new ArrayList<String>();
        Matcher token = TOKEN.matcher(text);
        while (token.find()) {
            if (token.group("clear") != null) {
                clear(token.group("clear"), values);
            } else if (token.group("quoted") != null) {
                statement.add(token.group("quoted"));
            } else if (token.group("word") != null) {
                statement.add(token.group("word"));
            } else if (token.group("mark") != null) {
                switch (token.group("mark")) {
                    case "{" -> outer.add(statement.isEmpty() ? "" : statement.getFirst());
                    case ";" -> set(outer, statement, values);
                    default -> {
                        set(outer, statement, values);
                        if (!outer.isEmpty()) {
                            outer.removeLast();
                        }
                    }
                }
                statement.clear();
            }
        }
    }

    private static void set(List<String> outer, List<String> statement, Map<String, String> values) {
        if (statement.size() > 1) {
            var names = new ArrayList<>(outer);
            names.add(statement.getFirst());
            values.put(String.join("::", names).toLowerCase(Locale.ROOT), statement.get(1));
        }
    }

    private static void clear(String directive, Map<String, String> values) {
        for (String name : directive.substring("#clear".length()).split("[\\s;]+")) {
            String key = name.toLowerCase(Locale.ROOT);
            values.keySet().removeIf(known -> known.equals(key) || known.startsWith(key + "::"));
        }
    }

    /** In apt's order: the folder's files by name, then the main one. */
    private static List<Path> files(Path aptDirectory) {
        var files = new ArrayList<Path>();
        Path folder = aptDirectory.resolve("apt.conf.d");
        if (Files.isDirectory(folder)) {
            try (DirectoryStream<Path> entries = Files.newDirectoryStream(
                    folder,
                    file -> Files.isRegularFile(file)
                            && FILE_NAME.matcher(file.getFileName().toString()).matches())) {
                entries.forEach(files::add);
            } catch (IOException unreadable) {
                log.warn("{} is left out: {}", folder, unreadable.toString());
            }
        }
        files.sort(null);
        Path main = aptDirectory.resolve("apt.conf");
        if (Files.isRegularFile(main)) {
            files.add(main);
        }
        return files;
    }
}
