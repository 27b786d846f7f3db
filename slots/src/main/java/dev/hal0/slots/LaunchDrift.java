package dev.hal0.slots;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * How what runs differs from what its files say now. Nothing follows from it by itself.
 *
 * @param live whether anything runs that could differ
 * @param differences empty where a restart would change nothing
 * @param problem why no comparison is possible: the files describe nothing that could be started; null otherwise
 * @param action what would bring the two together: {@code restart}, or null where nothing needs to be done or can be
 */
public record LaunchDrift(
        boolean live,
        List<Difference> differences,
        @Nullable String problem,
        @Nullable String action) {
    /**
     * @param what a flag, {@code env NAME}, or a part of the plan such as {@code engine}
     * @param running null where it is only configured
     * @param configured null where it only runs
     */
    public record Difference(
            String what,
            @Nullable String running,
            @Nullable String configured,
            @JsonProperty("source") @Nullable String source) {}

    static final LaunchDrift NOTHING_RUNS = new LaunchDrift(false, List.of(), null, null);

    static LaunchDrift impossible(String problem) {
        return new LaunchDrift(true, List.of(), problem, null);
    }

    static LaunchDrift between(LaunchPlan running, LaunchPlan configured) {
        var found = new ArrayList<Difference>();
        compare(found, "engine", running.engine(), configured.engine());
        compare(found, "program", running.program(), configured.program());
        compare(found, "host", running.host(), configured.host());
        compare(found, "port", Integer.toString(running.port()), Integer.toString(configured.port()));
        compare(found, "permits", Integer.toString(running.permits()), Integer.toString(configured.permits()));
        compare(found, "container", container(running), container(configured));
        compareFlags(found, running, configured);
        var names = new TreeSet<>(running.environment().keySet());
        names.addAll(configured.environment().keySet());
        for (String name : names) {
            // A person may keep a token there: that it differs is enough.
            String one = running.environment().get(name);
            String other = configured.environment().get(name);
            if (one == null || !one.equals(other)) {
                found.add(new Difference("env " + name, shown(one), shown(other), "env"));
            }
        }
        if (found.isEmpty() && !running.hash().equals(configured.hash())) {
            found.add(new Difference("order of the flags", null, null, null));
        }
        return new LaunchDrift(true, found, null, found.isEmpty() ? null : "restart");
    }

    /** @param seen how the machine's own description of what runs differs from the plan it was started with */
    LaunchDrift and(List<Difference> seen) {
        var all = new ArrayList<>(differences);
        all.addAll(seen);
        return new LaunchDrift(live, all, problem, all.isEmpty() ? null : "restart");
    }

    private static String container(LaunchPlan plan) {
        return plan.container().map(ContainerFacts::toString).orElse("none");
    }

    private static @Nullable String shown(@Nullable String value) {
        return value == null ? null : "…";
    }

    private static void compare(List<Difference> found, String what, String running, String configured) {
        if (!running.equals(configured)) {
            found.add(new Difference(what, running, configured, null));
        }
    }

    private static void compareFlags(List<Difference> found, LaunchPlan running, LaunchPlan configured) {
        Map<String, LaunchArgument> old = byFlag(running);
        Map<String, LaunchArgument> now = byFlag(configured);
        var flags = new TreeSet<>(old.keySet());
        flags.addAll(now.keySet());
        for (String flag : flags) {
            LaunchArgument one = old.get(flag);
            LaunchArgument other = now.get(flag);
            if (one == null || other == null || !one.values().equals(other.values())) {
                found.add(new Difference(flag, words(one), words(other), other == null ? null : other.source()));
            }
        }
    }

    private static @Nullable String words(@Nullable LaunchArgument argument) {
        return argument == null ? null : String.join(" ", argument.values());
    }

    /** A flag that stands there more than once has the values of all its places. */
    private static Map<String, LaunchArgument> byFlag(LaunchPlan plan) {
        var flags = new TreeMap<String, LaunchArgument>();
        for (LaunchArgument argument : plan.flags()) {
            flags.merge(argument.flag(), argument, (first, next) -> {
                var all = new ArrayList<>(first.values());
                all.addAll(next.values());
                return new LaunchArgument(first.flag(), all, next.source());
            });
        }
        return flags;
    }
}
