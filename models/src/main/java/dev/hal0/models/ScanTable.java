package dev.hal0.models;

import dev.hal0.kernel.Hal0Exception;
import dev.hal0.models.FileExaminer.Examined;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;

/** Makes rows of sightings: parts together, duplicates out, projectors to their models, an id for each. */
final class ScanTable {
    private final FileExaminer examiner;
    private final ScanBudget budget;
    private final Map<Object, String> registered;
    private final SuggestedIds ids;
    private final List<SkippedPath> skipped;
    private final List<ScanItem> items = new ArrayList<>();
    private final Map<Path, List<Projectors.Candidate>> projectors = new HashMap<>();
    private int unexamined;

    /**
     * @param registered ids by the key of their file
     * @param skipped receives every sighting that ends in no row
     */
    ScanTable(
            FileExaminer examiner,
            ScanBudget budget,
            Map<Object, String> registered,
            SuggestedIds ids,
            List<SkippedPath> skipped) {
        this.examiner = examiner;
        this.budget = budget;
        this.registered = registered;
        this.ids = ids;
        this.skipped = skipped;
    }

    /** Files that were found and not looked into when the time was up. */
    int unexamined() {
        return unexamined;
    }

    List<ScanRow> rows(List<Sighting> sightings) {
        var once = new LinkedHashMap<Object, Sighting>();
        for (ShardSets.Whole whole : ShardSets.of(sightings, skipped::add)) {
            Sighting first = whole.first();
            Sighting before = once.putIfAbsent(first.key(), first);
            if (before != null) {
                skip(first, "is the same file as " + before.path());
            } else if (budget.isSpent()) {
                unexamined++;
            } else {
                examine(whole);
            }
        }
        agreeOnEqualContent();
        var used = new TreeSet<Path>();
        var rows = new ArrayList<ScanRow>();
        for (ScanItem item : items) {
            Projectors.Match match = projectorOf(item);
            match.projector().ifPresent(found -> used.add(found.file().path()));
            rows.add(row(item, match));
        }
        projectors.values().stream()
                .flatMap(List::stream)
                .filter(projector -> !used.contains(projector.file().path()))
                .forEach(projector -> skip(projector.file(), "is a projector, and no model in its folder takes it"));
        rows.sort(Comparator.comparing(ScanRow::path));
        return rows;
    }

    private void examine(ShardSets.Whole whole) {
        Sighting first = whole.first();
        if (!first.isGguf()) {
            examiner.byName(first.path(), first.fileName(), whole.size())
                    .ifPresentOrElse(
                            found -> items.add(new ScanItem(whole, found)),
                            () -> skip(first, "is no GGUF file, and its name does not say what it is for"));
            return;
        }
        try {
            GgufHeader header = examiner.header(first.path(), first.fileName());
            var projector = examiner.projector(header);
            if (projector.isPresent()) {
                projectors
                        .computeIfAbsent(first.folder(), ignored -> new ArrayList<>())
                        .add(new Projectors.Candidate(first, projector.get().quantization()));
            } else if (ScanNames.isProjectorName(first.fileName())) {
                skip(first, "is named as a projector and is none");
            } else {
                items.add(new ScanItem(whole, examiner.examine(first.path(), header)));
            }
        } catch (Hal0Exception refusal) {
            skip(first, withoutPath(refusal.message(), first.path()));
        }
    }

    /** A name decides only where nothing else does, and it must not decide two ways about the same bytes. */
    private void agreeOnEqualContent() {
        var surest = new HashMap<String, Examined>();
        for (ScanItem item : items) {
            item.first().sha256().ifPresent(digest -> surest.merge(digest, item.examined(), ScanTable::surer));
        }
        items.replaceAll(item -> item.first()
                .sha256()
                .map(surest::get)
                .filter(same -> same.capability() != item.examined().capability())
                .map(same -> item.with(as(item.examined(), same)))
                .orElse(item));
    }

    private static Examined surer(Examined one, Examined other) {
        return other.confidence().compareTo(one.confidence()) < 0 ? other : one;
    }

    private static Examined as(Examined own, Examined same) {
        return new Examined(
                own.name(),
                own.sizeBytes(),
                own.architecture(),
                own.quantization(),
                own.contextLength(),
                own.chatTemplate(),
                own.tools(),
                same.capability(),
                same.confidence(),
                same.reason() + " (a file with the same content)",
                own.engines(),
                own.hints());
    }

    private Projectors.Match projectorOf(ScanItem item) {
        if (item.examined().capability() != ModelCapability.CHAT) {
            return Projectors.Match.NONE;
        }
        if (item.first().projector().isPresent()) {
            return new Projectors.Match(
                    item.first().projector().map(file -> new Projectors.Candidate(file, "")), "its manifest names it");
        }
        List<Projectors.Candidate> candidates =
                projectors.getOrDefault(item.first().folder(), List.of());
        if (candidates.isEmpty()) {
            return Projectors.Match.NONE;
        }
        List<String> neighbours = items.stream()
                .filter(other -> other.first().folder().equals(item.first().folder())
                        && other.examined().capability() == ModelCapability.CHAT)
                .map(other -> other.first().fileName())
                .toList();
        return Projectors.match(item.first().fileName(), neighbours, candidates);
    }

    private ScanRow row(ScanItem item, Projectors.Match match) {
        Sighting first = item.first();
        Examined found = item.examined();
        Optional<String> already = Optional.ofNullable(registered.get(first.key()));
        var hints = new TreeMap<>(found.hints());
        hints.put("file_name", first.fileName());
        String stem = ModelId.stem(Path.of(first.fileName()));
        return new ScanRow(
                first.path(),
                first.real(),
                found.sizeBytes(),
                item.whole().parts().size(),
                already.orElseGet(() -> ids.next(first.fileName(), first.path())),
                found.name().isEmpty() ? stem : found.name(),
                found.labels(found.capability(), match.projector().isPresent()),
                found.architecture(),
                found.quantization(),
                found.contextLength(),
                found.capability(),
                found.confidence(),
                found.reason(),
                first.source(),
                match.projector().map(projector -> projector.file().path()),
                match.reason(),
                first.sha256(),
                hints,
                already);
    }

    private void skip(Sighting sighting, String reason) {
        skipped.add(new SkippedPath(sighting.path(), reason));
    }

    private static String withoutPath(String message, Path path) {
        String prefix = path + ": ";
        return message.startsWith(prefix) ? message.substring(prefix.length()) : message;
    }
}
