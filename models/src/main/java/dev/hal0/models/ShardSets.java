package dev.hal0.models;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Puts the parts of a model together: the same folder, the same name, the same total. A set counts only when every part is
 * there; one useless part is not offered as a model.
 */
final class ShardSets {
    /** A model of one or more files; the first is what an engine is given. */
    record Whole(Sighting first, List<Sighting> parts) {
        long size() {
            return parts.stream().mapToLong(Sighting::size).sum();
        }
    }

    private record Key(Path folder, String stem, String total, String ending) {}

    private static final Pattern SHARD = Pattern.compile("(.+)-(\\d{5})-of-(\\d{5})(\\.[^.]+)");
    private static final int NAMED = 3;

    private ShardSets() {}

    /** In the order of the first parts' sightings. */
    static List<Whole> of(List<Sighting> sightings, Consumer<SkippedPath> skipped) {
        var whole = new ArrayList<Whole>();
        var sets = new LinkedHashMap<Key, TreeMap<Integer, Sighting>>();
        for (Sighting sighting : sightings) {
            // The name on disk: it is what the engine derives the others from.
            Matcher name = SHARD.matcher(ScanNames.of(sighting.path()));
            if (name.matches()) {
                var key = new Key(sighting.folder(), name.group(1), name.group(3), name.group(4));
                sets.computeIfAbsent(key, ignored -> new TreeMap<>()).put(Integer.parseInt(name.group(2)), sighting);
            } else {
                whole.add(new Whole(sighting, List.of(sighting)));
            }
        }
        sets.forEach((key, parts) -> {
            int total = Integer.parseInt(key.total());
            Sighting first = parts.firstEntry().getValue();
            if (parts.firstKey() == 1 && parts.lastKey() == total && parts.size() == total) {
                whole.add(new Whole(first, List.copyOf(parts.values())));
            } else {
                skipped.accept(new SkippedPath(first.path(), reason(key, parts, total)));
            }
        });
        return whole;
    }

    private static String reason(Key key, TreeMap<Integer, Sighting> parts, int total) {
        if (parts.firstKey() < 1 || parts.lastKey() > total) {
            int odd = parts.firstKey() < 1 ? parts.firstKey() : parts.lastKey();
            return "calls itself part " + odd + " of " + total;
        }
        var missing = new ArrayList<String>();
        for (int part = 1; part <= total && missing.size() < NAMED; part++) {
            if (!parts.containsKey(part)) {
                missing.add(key.stem() + String.format(Locale.ROOT, "-%05d-of-", part) + key.total() + key.ending());
            }
        }
        int more = total - parts.size() - missing.size();
        return "is incomplete: of " + total + " parts " + String.join(", ", missing)
                + (more > 0 ? " and " + more + " more are" : missing.size() == 1 ? " is" : " are") + " not there";
    }
}
