package dev.hal0.runtime.install;

import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.TomlDocument;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The pinned packages of an engine and how its program starts from them; {@code packaging/engines/refresh-lock} writes it.
 *
 * @param version also the name of the folder it is installed in
 * @param architecture as Debian calls it
 * @param loader the unpacked {@code ld-linux}, as the other paths relative to the unpacked root
 * @param pinned false for versions that a suite has today, which nobody tried with hal0
 * @param text what was parsed
 */
record EngineLock(
        String engine,
        String version,
        String suite,
        String architecture,
        String loader,
        List<String> libraryPath,
        String executable,
        String workingDirectory,
        List<Pin> packages,
        boolean pinned,
        String text) {
    /** @param path below the archive's root, such as {@code pool/main/…} */
    record Pin(String name, String version, String path, long size, String sha256) {}

    private static final Pattern SAFE_PATH =
            Pattern.compile("[A-Za-z0-9_+~:%-][A-Za-z0-9_.+~:%-]*(/[A-Za-z0-9_+~:%-][A-Za-z0-9_.+~:%-]*)*");
    private static final Pattern SAFE_NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9.+~_-]*");
    private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");

    /** Debian's name for what the JVM runs on, or the JVM's own for one that has none here. */
    static String machineArchitecture() {
        String machine = System.getProperty("os.arch", "");
        return Map.of("amd64", "amd64", "x86_64", "amd64", "aarch64", "arm64").getOrDefault(machine, machine);
    }

    /** The lock that this release ships; empty for an engine that it cannot install on this architecture. */
    static Optional<EngineLock> shipped(String engine, String architecture) {
        if (!SAFE_NAME.matcher(engine).matches()
                || !SAFE_NAME.matcher(architecture).matches()) {
            return Optional.empty();
        }
        String resource = engine + (architecture.equals("amd64") ? "" : "-" + architecture) + ".lock.toml";
        try (var stream = EngineLock.class.getResourceAsStream(resource)) {
            return stream == null
                    ? Optional.empty()
                    : Optional.of(parse(resource, new String(stream.readAllBytes(), StandardCharsets.UTF_8)));
        } catch (IOException unreadable) {
            throw new UncheckedIOException("the shipped " + resource + " cannot be read", unreadable);
        }
    }

    /** @throws Hal0Exception {@code config.invalid} when something is missing or would lead outside its folder */
    static EngineLock parse(String source, String text) {
        TomlDocument document = TomlDocument.parse(source, text);
        return new EngineLock(
                matching(document, "engine", SAFE_NAME),
                matching(document, "version", SAFE_NAME),
                matching(document, "suite", SAFE_NAME),
                matching(document, "architecture", SAFE_NAME),
                matching(document, "loader", SAFE_PATH),
                document.strings(List.of("library_path")).orElse(List.of()).stream()
                        .map(item -> matching(document, "library_path", item, SAFE_PATH))
                        .toList(),
                matching(document, "executable", SAFE_PATH),
                matching(document, "working_directory", SAFE_PATH),
                pins(document),
                !document.bool(List.of("unpinned")).orElse(false),
                text);
    }

    /**
     * How this engine starts, from other packages. Goes through the text and its checks, because that is what the record
     * of an installed version holds.
     *
     * @throws UntrustedIndexException for packages that cannot be used, such as one without a hash
     */
    EngineLock unpinned(List<PackageIndex.Entry> entries, String rootPackage) throws UntrustedIndexException {
        // As a folder name: the epoch's colon means something else on a library path.
        String root = entries.stream()
                .filter(entry -> entry.name().equals(rootPackage))
                .map(entry -> entry.version().replaceFirst("^[0-9]+:", ""))
                .findFirst()
                .orElse("");
        var lines = new ArrayList<String>(List.of(
                "unpinned = true",
                "engine = " + quoted(engine),
                "version = " + quoted(root),
                "suite = " + quoted(suite),
                "architecture = " + quoted(architecture),
                "loader = " + quoted(loader),
                "library_path = ["
                        + String.join(
                                ", ",
                                libraryPath.stream().map(EngineLock::quoted).toList()) + "]",
                "executable = " + quoted(executable),
                "working_directory = " + quoted(workingDirectory)));
        for (PackageIndex.Entry entry : entries) {
            lines.addAll(List.of(
                    "",
                    "[[package]]",
                    "name = " + quoted(entry.name()),
                    "version = " + quoted(entry.version()),
                    "path = " + quoted(entry.path()),
                    "size = " + (entry.size().matches("[1-9][0-9]{0,14}") ? entry.size() : "0"),
                    "sha256 = " + quoted(entry.sha256())));
        }
        try {
            return parse("the closure", String.join("\n", lines) + "\n");
        } catch (Hal0Exception unusable) {
            throw new UntrustedIndexException("describes packages that cannot be used (" + unusable.message() + ")");
        }
    }

    /** What stands in an index and would need an escape here is no version, name or path. */
    private static String quoted(String value) {
        return "\"" + value.replaceAll("[^\\w./+:~%-]", "?") + "\"";
    }

    long totalSize() {
        return packages.stream().mapToLong(Pin::size).sum();
    }

    /** How the program starts from packages that were unpacked into {@code root}. */
    Program program(Path root, String reportedVersion) {
        String libraries = String.join(
                ":",
                libraryPath.stream()
                        .map(folder -> root.resolve(folder).toString())
                        .toList());
        return new Program(
                List.of(
                        root.resolve(loader).toString(),
                        "--library-path",
                        libraries,
                        root.resolve(executable).toString()),
                Map.of(),
                Optional.of(root.resolve(workingDirectory)),
                reportedVersion,
                pinned ? "installed" : "unpinned");
    }

    private static List<Pin> pins(TomlDocument document) {
        if (!(document.values().get("package") instanceof List<?> tables) || tables.isEmpty()) {
            throw document.fault(List.of("package"), "expected [[package]] tables");
        }
        var pins = new ArrayList<Pin>();
        for (Object table : tables) {
            if (!(table instanceof Map<?, ?> pin) || !(pin.get("size") instanceof Long size) || size <= 0) {
                throw document.fault(List.of("package"), "each needs a size");
            }
            pins.add(new Pin(
                    matching(document, "package", pin.get("name"), SAFE_NAME),
                    String.valueOf(pin.get("version")),
                    matching(document, "package", pin.get("path"), SAFE_PATH),
                    size,
                    matching(document, "package", pin.get("sha256"), SHA256)));
        }
        return List.copyOf(pins);
    }

    private static String matching(TomlDocument document, String key, Pattern pattern) {
        return matching(document, key, document.string(List.of(key)).orElse(""), pattern);
    }

    private static String matching(
            TomlDocument document, String key, @org.jspecify.annotations.Nullable Object value, Pattern pattern) {
        if (!(value instanceof String string) || !pattern.matcher(string).matches()) {
            throw document.fault(List.of(key), "'" + value + "' does not match " + pattern);
        }
        return string;
    }
}
