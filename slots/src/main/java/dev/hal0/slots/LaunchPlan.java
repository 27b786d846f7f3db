package dev.hal0.slots;

import dev.hal0.kernel.SlotName;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Everything that decides how a workload runs, as a value: the preview and the launch come from the same plan, and its hash
 * tells whether a running workload is the one that is configured. A plan holds no secret.
 *
 * @param engine the family, such as {@code llama.cpp}
 * @param program the family's executable by its logical name, such as {@code llama-server}; the runtime knows where it is
 * @param arguments after the program
 * @param environment of the engine, beyond what the runtime allows through
 * @param readablePaths files the engine reads
 * @param keyFile where the runtime puts this launch's key before it starts the engine, mode 0600
 * @param permits how many requests the engine really works on at once; at least 1
 * @param expected what the engine must report about itself before it is ready, by the family's own names
 * @param sources where each word of {@code arguments} comes from, see {@link LaunchArgument#source}; as many as there are words
 * @param container what the family needs of a container; empty for one that never runs in one
 */
public record LaunchPlan(
        SlotName slot,
        String engine,
        String program,
        List<String> arguments,
        Map<String, String> environment,
        List<Path> readablePaths,
        Path keyFile,
        String modelId,
        String host,
        int port,
        int permits,
        Map<String, String> expected,
        List<String> sources,
        Optional<ContainerFacts> container) {

    /** A plan for a family that runs as a plain process only. */
    public LaunchPlan(
            SlotName slot,
            String engine,
            String program,
            List<String> arguments,
            Map<String, String> environment,
            List<Path> readablePaths,
            Path keyFile,
            String modelId,
            String host,
            int port,
            int permits,
            Map<String, String> expected,
            List<String> sources) {
        this(
                slot,
                engine,
                program,
                arguments,
                environment,
                readablePaths,
                keyFile,
                modelId,
                host,
                port,
                permits,
                expected,
                sources,
                Optional.empty());
    }

    /** A plan whose arguments are all hal0's own. */
    public LaunchPlan(
            SlotName slot,
            String engine,
            String program,
            List<String> arguments,
            Map<String, String> environment,
            List<Path> readablePaths,
            Path keyFile,
            String modelId,
            String host,
            int port,
            int permits,
            Map<String, String> expected) {
        this(
                slot,
                engine,
                program,
                arguments,
                environment,
                readablePaths,
                keyFile,
                modelId,
                host,
                port,
                permits,
                expected,
                Collections.nCopies(arguments.size(), "hal0"));
    }

    public LaunchPlan {
        if (sources.size() != arguments.size()) {
            throw new IllegalArgumentException(sources.size() + " sources of " + arguments.size() + " words");
        }
        sources = List.copyOf(sources);
        arguments = List.copyOf(arguments);
        environment = Map.copyOf(environment);
        readablePaths = List.copyOf(readablePaths);
        expected = Map.copyOf(expected);
    }

    /** The same arguments flag by flag: joined in order they are {@link #arguments} word for word. */
    public List<LaunchArgument> flags() {
        var flags = new ArrayList<LaunchArgument>();
        int i = 0;
        while (i < arguments.size()) {
            int end = i + 1;
            while (end < arguments.size() && !isFlag(arguments.get(end))) {
                end++;
            }
            flags.add(new LaunchArgument(arguments.get(i), arguments.subList(i + 1, end), sources.get(i)));
            i = end;
        }
        return flags;
    }

    /** A negative number is a value, not a flag. */
    private static boolean isFlag(String word) {
        return word.startsWith("-") && word.length() > 1 && !Character.isDigit(word.charAt(1));
    }

    public LaunchPlan withContainer(ContainerFacts facts) {
        return new LaunchPlan(
                slot,
                engine,
                program,
                arguments,
                environment,
                readablePaths,
                keyFile,
                modelId,
                host,
                port,
                permits,
                expected,
                sources,
                Optional.of(facts));
    }

    /** Hex SHA-256 over everything that a restart would change. Stable across JVMs and map orders. */
    public String hash() {
        return PlanHash.of(this);
    }
}
