package dev.hal0.helper.daemon;

import dev.hal0.helper.Difference;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** Compares the command that made a container with the one that its plan would be now: podman keeps the first. */
final class RunningCommand {
    private final List<String> flags;
    private final String image;
    private final List<String> arguments;

    /** @param command a whole {@code podman run}, as {@link PodmanCommand} writes it */
    RunningCommand(List<String> command) {
        int end = 2;
        while (end < command.size() && command.get(end).startsWith("--")) {
            end++;
        }
        this.flags = command.subList(Math.min(2, command.size()), end);
        this.image = end < command.size() ? command.get(end) : "";
        this.arguments = command.subList(Math.min(end + 1, command.size()), command.size());
    }

    /** @param planned what would be started now */
    List<Difference> comparedTo(RunningCommand planned) {
        var differences = new ArrayList<Difference>();
        differ(differences, Difference.Kind.IMAGE, planned.image, image);
        differ(
                differences,
                Difference.Kind.ARGUMENTS,
                planned.values("--entrypoint=") + " " + planned.arguments,
                values("--entrypoint=") + " " + arguments);
        environment(differences, planned);
        differ(differences, Difference.Kind.DEVICES, planned.values("--device="), values("--device="));
        differ(differences, Difference.Kind.GROUPS, planned.values("--group-add="), values("--group-add="));
        differ(differences, Difference.Kind.ADDRESS, planned.address(), address());
        differ(differences, Difference.Kind.PORT, planned.port(), port());
        return differences;
    }

    private static void differ(List<Difference> differences, Difference.Kind kind, String planned, String running) {
        if (!planned.equals(running)) {
            differences.add(new Difference(kind, planned, running));
        }
    }

    private void environment(List<Difference> differences, RunningCommand planned) {
        Set<String> here = new TreeSet<>(all("--env="));
        Set<String> there = new TreeSet<>(planned.all("--env="));
        if (!here.equals(there)) {
            differences.add(new Difference(Difference.Kind.ENVIRONMENT, names(there, here), names(here, there)));
        }
    }

    /** Names of what is only in {@code one}: the values may be secrets. */
    private static String names(Set<String> one, Set<String> other) {
        return one.stream()
                .filter(variable -> !other.contains(variable))
                .map(variable -> variable.substring(0, variable.indexOf('=')))
                .collect(Collectors.joining(", "));
    }

    private List<String> all(String flag) {
        return flags.stream()
                .filter(word -> word.startsWith(flag))
                .map(word -> word.substring(flag.length()))
                .toList();
    }

    private String values(String flag) {
        return String.join(", ", all(flag));
    }

    private String address() {
        String published = values("--publish=");
        int colon = published.indexOf(':');
        return values("--network=") + " " + (colon < 0 ? published : published.substring(0, colon));
    }

    private String port() {
        String published = values("--publish=");
        return published.substring(published.indexOf(':') + 1);
    }
}
