package dev.hal0.models;

import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.TomlDocument;
import dev.hal0.models.GoneCheck.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Takes entries out of the registry whose files are gone for certain, and only those. No file is touched. Thread-safe; may
 * wait for as long as a hanging network mount does.
 */
public final class ModelPrune {
    private final ModelRegistry registry;
    private final GoneCheck check;

    public ModelPrune(ModelRegistry registry, StoreRoot store) {
        this(registry, store, Disk.SYSTEM);
    }

    ModelPrune(ModelRegistry registry, StoreRoot store, Disk disk) {
        this.registry = registry;
        this.check = new GoneCheck(store, disk);
    }

    /**
     * What {@link #apply} would do.
     *
     * @throws Hal0Exception {@code model.registry_unavailable}
     */
    public PruneReport preview(Set<String> inUse) {
        return run(inUse, false);
    }

    /**
     * Removes in one write.
     *
     * @param inUse ids that a slot or anything else refers to: reported, never removed
     * @throws Hal0Exception {@code model.registry_unavailable}, {@code system.storage}
     */
    public PruneReport apply(Set<String> inUse) {
        return run(inUse, true);
    }

    private PruneReport run(Set<String> inUse, boolean apply) {
        var gone = new ArrayList<PruneReport.Row>();
        var kept = new ArrayList<PruneReport.Row>();
        for (RegisteredModel model : registry.list()) {
            Verdict verdict = check.verdict(model);
            if (verdict.answer() == GoneCheck.Answer.PRESENT) {
                continue;
            }
            var path = model.path().orElseThrow();
            boolean used = inUse.contains(model.id());
            boolean pulling =
                    model.details().state().filter(ModelState.PULLING::equals).isPresent();
            if (verdict.answer() == GoneCheck.Answer.GONE && !used && !pulling) {
                gone.add(new PruneReport.Row(model.id(), path, verdict.reason()));
            } else {
                String why = used ? "; it is in use" : pulling ? "; it is being pulled" : "";
                kept.add(new PruneReport.Row(model.id(), path, verdict.reason() + why));
            }
        }
        if (apply && !gone.isEmpty()) {
            registry.update(document -> without(document, gone));
        }
        return new PruneReport(gone, kept, apply);
    }

    private static TomlDocument without(TomlDocument document, List<PruneReport.Row> gone) {
        TomlDocument changed = document;
        for (PruneReport.Row row : gone) {
            var table = List.of(RegistryEntries.MODELS, row.id());
            // An entry that a person pointed elsewhere meanwhile is another one.
            boolean same = new RegistryFields(document, table)
                    .string("path")
                    .filter(row.path().toString()::equals)
                    .isPresent();
            if (same) {
                changed = changed.without(table);
            }
        }
        return changed;
    }
}
