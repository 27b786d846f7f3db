package dev.hal0.runtime.install;

import java.io.BufferedInputStream;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.commons.compress.compressors.xz.XZCompressorInputStream;

/**
 * A suite's {@code Packages.xz}. It is read as often as a question comes up, about a second each time, and never held:
 * unpacked it is 60 MB, of which a closure needs a dozen entries.
 */
final class PackageIndex {
    /** @param dependencies each with its alternatives, as the index words them: {@code a (>= 1) | b} */
    record Entry(String name, String version, String path, String size, String sha256, List<String> dependencies) {
        Entry {
            dependencies = List.copyOf(dependencies);
        }
    }

    /** @param providers by what they provide */
    record Found(Map<String, Entry> packages, Map<String, TreeSet<String>> providers) {}

    private static final int XZ_MEMORY_KIB = 96 << 10;
    private static final Set<String> FIELDS =
            Set.of("Package", "Version", "Filename", "Size", "SHA256", "Pre-Depends", "Depends", "Provides");

    private final Path file;

    PackageIndex(Path file) {
        this.file = file;
    }

    /** The packages of these names, and those that provide one of them. */
    Found find(Set<String> names) throws IOException {
        var found = new Found(new HashMap<>(), new HashMap<>());
        try (var lines = new BufferedReader(new InputStreamReader(
                XZCompressorInputStream.builder()
                        .setInputStream(new BufferedInputStream(Files.newInputStream(file)))
                        .setMemoryLimitKiB(XZ_MEMORY_KIB)
                        .setDecompressConcatenated(true)
                        .get(),
                StandardCharsets.UTF_8))) {
            var stanza = new HashMap<String, String>();
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                int colon = line.indexOf(": ");
                if (line.isEmpty()) {
                    take(stanza, names, found);
                    stanza.clear();
                    FileTransfer.requireNotCancelled();
                } else if (colon > 0 && FIELDS.contains(line.substring(0, colon))) {
                    stanza.put(line.substring(0, colon), line.substring(colon + 2));
                }
            }
            take(stanza, names, found);
        }
        return found;
    }

    /** The name alone, of {@code name:any (>= version) [architectures]}. */
    static String name(String dependency) {
        return dependency.strip().split("[ (:]", 2)[0];
    }

    private static void take(Map<String, String> stanza, Set<String> names, Found found) {
        String name = stanza.getOrDefault("Package", "");
        if (name.isEmpty()) {
            return;
        }
        for (String provided : items(stanza, "Provides")) {
            if (names.contains(name(provided))) {
                found.providers()
                        .computeIfAbsent(name(provided), absent -> new TreeSet<>())
                        .add(name);
            }
        }
        if (names.contains(name)) {
            var dependencies = new ArrayList<>(items(stanza, "Pre-Depends"));
            dependencies.addAll(items(stanza, "Depends"));
            found.packages()
                    .put(
                            name,
                            new Entry(
                                    name,
                                    stanza.getOrDefault("Version", ""),
                                    stanza.getOrDefault("Filename", ""),
                                    stanza.getOrDefault("Size", ""),
                                    stanza.getOrDefault("SHA256", ""),
                                    dependencies));
        }
    }

    private static List<String> items(Map<String, String> stanza, String field) {
        String value = stanza.getOrDefault(field, "");
        return value.isEmpty()
                ? List.of()
                : List.of(value.split(",")).stream()
                        .map(String::strip)
                        .filter(item -> !item.isEmpty())
                        .toList();
    }
}
