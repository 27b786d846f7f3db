package dev.hal0.runtime.install;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * The packages that an engine needs, chosen as {@code refresh-lock} chooses: the first alternative that the suite has, or
 * its first provider by name; versions are not compared, since all come from one suite.
 */
final class Closure {
    private record Dependency(String needer, String alternatives) {
        List<String> names() {
            return Stream.of(alternatives.split("\\|")).map(PackageIndex::name).toList();
        }
    }

    private final PackageIndex index;
    private final ClosureRules rules;
    private final Set<String> asked = new HashSet<>();
    private final Map<String, PackageIndex.Entry> packages = new HashMap<>();
    private final Map<String, TreeSet<String>> providers = new HashMap<>();

    private Closure(PackageIndex index, ClosureRules rules) {
        this.index = index;
        this.rules = rules;
    }

    /** By name. */
    static List<PackageIndex.Entry> of(PackageIndex index, ClosureRules rules)
            throws IOException, UntrustedIndexException {
        return new Closure(index, rules).resolve();
    }

    private List<PackageIndex.Entry> resolve() throws IOException, UntrustedIndexException {
        var chosen = new TreeMap<String, PackageIndex.Entry>();
        var open = List.of(new Dependency("the engine", rules.rootPackage()));
        while (!open.isEmpty()) {
            ask(open);
            var next = new ArrayList<Dependency>();
            for (Dependency dependency : open) {
                Optional<String> choice = choose(dependency);
                if (choice.isEmpty() || chosen.containsKey(choice.get())) {
                    continue;
                }
                PackageIndex.Entry entry = packages.get(choice.get());
                if (entry == null) {
                    next.add(new Dependency(dependency.needer(), choice.get()));
                    continue;
                }
                chosen.put(entry.name(), entry);
                entry.dependencies().forEach(needed -> next.add(new Dependency(entry.name(), needed)));
            }
            open = List.copyOf(next);
        }
        return List.copyOf(chosen.values());
    }

    /** All new names of one step in one reading. */
    private void ask(List<Dependency> open) throws IOException {
        var names = new HashSet<String>();
        open.stream()
                .filter(dependency -> !skipped(dependency))
                .forEach(dependency -> names.addAll(dependency.names()));
        names.removeAll(asked);
        if (!names.isEmpty()) {
            PackageIndex.Found found = index.find(names);
            packages.putAll(found.packages());
            providers.putAll(found.providers());
            asked.addAll(names);
        }
    }

    private boolean skipped(Dependency dependency) {
        return dependency.names().stream().anyMatch(rules.skipped()::contains);
    }

    private Optional<String> choose(Dependency dependency) throws UntrustedIndexException {
        if (skipped(dependency)) {
            return Optional.empty();
        }
        for (String name : dependency.names()) {
            if (packages.containsKey(name)) {
                return Optional.of(name);
            }
            TreeSet<String> by = providers.get(name);
            if (by != null) {
                return Optional.of(by.getFirst());
            }
        }
        throw new UntrustedIndexException(
                "lacks " + dependency.alternatives().strip() + ", which " + dependency.needer() + " needs");
    }
}
