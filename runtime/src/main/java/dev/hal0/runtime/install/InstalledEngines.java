package dev.hal0.runtime.install;

import dev.hal0.kernel.CommandOptions;
import dev.hal0.kernel.Commands;
import dev.hal0.kernel.DurableFiles;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The programs of this machine: a person's own program, from the settings or on PATH, wins over the one that hal0
 * installed. Thread-safe.
 */
public final class InstalledEngines implements EnginePrograms {
    private static final Logger log = LoggerFactory.getLogger(InstalledEngines.class);

    private static final String STARTER = "starter";
    /** What each family's program is called where people install it themselves. */
    private static final Map<String, String> PROGRAM_NAMES =
            Map.of("llama.cpp", "llama-server", "whisper.cpp", "whisper-server");

    private static final List<String> DEBIAN_ARCHITECTURES = List.of("amd64", "arm64");
    private static final Duration VERSION_DEADLINE = Duration.ofSeconds(10);
    private static final Pattern VERSION = Pattern.compile("(?m)^version:\\s*(.+)$");

    /** One state of an executable file. */
    private record Executable(Path path, FileTime modified, long size) {}

    private final ClosureInstaller installer;
    private final Map<String, Path> configured;
    private final Map<String, String> environment;
    private final Program starter;
    private final Commands commands = new Commands();
    private final ConcurrentHashMap<Executable, String> versions = new ConcurrentHashMap<>();

    /**
     * @param enginesRoot where versions are installed; created when needed
     * @param configured a person's own programs by family, from {@code [engines]}
     * @param mirror {@code [engines].mirror}; empty for those of the machine's apt
     * @param aptDirectory {@code /etc/apt}
     * @param environment for PATH and proxies
     * @param starter the program that ships with hal0
     */
    public InstalledEngines(
            Path enginesRoot,
            DurableFiles files,
            Map<String, Path> configured,
            Optional<URI> mirror,
            Path aptDirectory,
            Map<String, String> environment,
            Program starter) {
        this(
                enginesRoot,
                files,
                configured,
                new PackageSources(mirror, aptDirectory, Optional.empty(), Optional.empty()),
                environment,
                starter);
    }

    /**
     * @param enginesRoot where versions are installed; created when needed
     * @param configured a person's own programs by family, from {@code [engines]}
     * @param environment for PATH and proxies
     * @param starter the program that ships with hal0
     */
    public InstalledEngines(
            Path enginesRoot,
            DurableFiles files,
            Map<String, Path> configured,
            PackageSources sources,
            Map<String, String> environment,
            Program starter) {
        this(
                new ClosureInstaller(enginesRoot, files, sources, environment, ClosureInstaller.Tuning.DEFAULT),
                configured,
                environment,
                starter);
    }

    InstalledEngines(
            ClosureInstaller installer,
            Map<String, Path> configured,
            Map<String, String> environment,
            Program starter) {
        this.installer = installer;
        this.configured = Map.copyOf(configured);
        this.environment = Map.copyOf(environment);
        this.starter = starter;
    }

    @Override
    public Optional<Program> find(String engine) {
        if (engine.equals(STARTER)) {
            return Optional.of(starter);
        }
        String name = PROGRAM_NAMES.get(engine);
        if (name == null) {
            return Optional.empty();
        }
        Path named = configured.get(engine);
        if (named != null) {
            // Also when it cannot run: silently starting another one than the person named would be worse.
            return Optional.of(own(named, "config"));
        }
        return onPath(name).map(path -> own(path, "path")).or(() -> installer.current(engine));
    }

    @Override
    public Program install(String engine, Consumer<String> progress) {
        return find(engine).orElseGet(() -> installer.install(lock(engine), progress));
    }

    /**
     * Installs the version that this release pins beside an older one and makes it the current one; returns at once if it
     * is. Where that version is gone from every mirror, the one of the day, marked {@code unpinned}. Launches use it unless a program of the person's own wins.
     *
     * @throws Hal0Exception {@code engine.…} saying what to do instead
     */
    public Program update(String engine, Consumer<String> progress) {
        return installer.install(lock(engine), progress);
    }

    /** What hal0 installed of an engine, newest first; not the person's own programs. */
    public List<InstalledVersion> list(String engine) {
        return PROGRAM_NAMES.containsKey(engine) ? installer.list(engine) : List.of();
    }

    /** The version that {@link #update} installs; empty for an engine that hal0 does not fetch. */
    public Optional<String> available(String engine) {
        return EngineLock.shipped(engine, EngineLock.machineArchitecture()).map(EngineLock::version);
    }

    /**
     * The newest version that is left takes the place of the current one.
     *
     * @throws Hal0Exception {@code engine.in_use} while a process runs from it; {@code engine.unknown} when there is none such
     */
    public void remove(String engine, String version) {
        if (!PROGRAM_NAMES.containsKey(engine)) {
            throw unknown(engine);
        }
        installer.remove(engine, version);
    }

    private static EngineLock lock(String engine) {
        return lock(engine, EngineLock.machineArchitecture());
    }

    static EngineLock lock(String engine, String architecture) {
        return EngineLock.shipped(engine, architecture).orElseThrow(() -> notInstallable(engine, architecture));
    }

    private static Hal0Exception notInstallable(String engine, String architecture) {
        String name = PROGRAM_NAMES.get(engine);
        if (name == null) {
            return unknown(engine);
        }
        boolean elsewhere = DEBIAN_ARCHITECTURES.stream()
                .anyMatch(other -> EngineLock.shipped(engine, other).isPresent());
        return new Hal0Exception(
                ErrorCode.ENGINE_NOT_INSTALLED,
                elsewhere
                        ? "hal0 installs " + engine + " on " + String.join(" and ", DEBIAN_ARCHITECTURES)
                                + " only, and this machine is " + architecture + ": put " + name + " on PATH"
                        : "hal0 cannot install " + engine + " as a plain process: put " + name
                                + " on PATH, or its path into [engines]." + name.replace('-', '_')
                                + " of hal0.toml");
    }

    private static Hal0Exception unknown(String engine) {
        return new Hal0Exception(ErrorCode.ENGINE_UNKNOWN, "There is no engine '" + engine + "'");
    }

    private Program own(Path path, String source) {
        return new Program(List.of(path.toString()), Map.of(), Optional.empty(), version(path), source);
    }

    private Optional<Path> onPath(String name) {
        for (String folder : environment.getOrDefault("PATH", "").split(":")) {
            Path candidate = Path.of(folder).resolve(name);
            if (candidate.isAbsolute() && Files.isRegularFile(candidate) && Files.isExecutable(candidate)) {
                return Optional.of(candidate);
            }
        }
        return Optional.empty();
    }

    /** Asked once for each state of the file; empty when it does not say. */
    private String version(Path path) {
        try {
            return versions.computeIfAbsent(
                    new Executable(path, Files.getLastModifiedTime(path), Files.size(path)), this::askVersion);
        } catch (IOException absent) {
            log.warn("{} cannot be read: {}", path, absent.toString());
            return "";
        }
    }

    private String askVersion(Executable executable) {
        try {
            var result = commands.run(
                    List.of(executable.path().toString(), "--version"), CommandOptions.within(VERSION_DEADLINE));
            var found = VERSION.matcher(result.stdout() + "\n" + result.stderr());
            return found.find() ? found.group(1).strip() : "";
        } catch (Hal0Exception silent) {
            log.warn("{} does not tell its version: {}", executable.path(), silent.message());
            return "";
        }
    }
}
