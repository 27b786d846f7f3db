package dev.hal0.models;

import dev.hal0.kernel.Hal0Exception;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.function.LongSupplier;

/**
 * Finds the models that are on this box already: in plain folders and in the caches of the Hugging Face hub, llama.cpp,
 * Ollama and LM Studio. A preview: nothing is moved, copied, linked or registered; {@link ModelAdoption} does the last.
 *
 * <p>What cannot be read is in {@link ScanReport#skipped()} and does not end a scan. Thread-safe; a scan may wait for as long
 * as a hanging network mount does, beyond its time.
 */
public final class ModelScan {
    public static final Duration BUDGET = Duration.ofSeconds(30);

    private final ModelRegistry registry;
    private final Disk disk;
    private final LongSupplier nanos;
    private final Duration budget;

    public ModelScan(ModelRegistry registry) {
        this(registry, Disk.SYSTEM, System::nanoTime, BUDGET);
    }

    /** @param nanos rises evenly, such as {@link System#nanoTime} */
    ModelScan(ModelRegistry registry, Disk disk, LongSupplier nanos, Duration budget) {
        this.registry = registry;
        this.disk = disk;
        this.nanos = nanos;
        this.budget = budget;
    }

    /**
     * Looks at everything in these folders; of a file in two of them the first name counts.
     *
     * @param roots absolute
     * @param recursive false to look only at the folders themselves
     * @throws Hal0Exception {@code model.registry_unavailable} while the registry cannot be parsed: what is registered is not
     *     known then
     */
    public ScanReport preview(List<Path> roots, boolean recursive) {
        return preview(roots, recursive, ScanNames.ENDINGS);
    }

    /** @param endings of file names, in lower case with their dot */
    public ScanReport preview(List<Path> roots, boolean recursive, Set<String> endings) {
        var registered = new RegisteredFiles(registry.list(), disk);
        // An entry with a fault is in no list and its id is in use all the same.
        var taken = new ArrayList<>(registered.ids());
        taken.addAll(registry.faults().keySet());
        var time = new ScanBudget(nanos, budget);
        var walk = new ScanWalk(disk, time, endings, recursive);
        var states = new ArrayList<ScanReport.Root>();
        for (Path root : roots) {
            Path given = root.toAbsolutePath().normalize();
            StoreState state = StoreRoot.state(given, disk);
            states.add(new ScanReport.Root(given, state));
            if (state.isOk()) {
                walk.walk(given);
            }
        }
        var skipped = new ArrayList<>(walk.skipped());
        var table = new ScanTable(registry.examiner(), time, registered.idsByKey(), new SuggestedIds(taken), skipped);
        List<ScanRow> rows = table.rows(walk.found());
        skipped.sort(Comparator.comparing(SkippedPath::path).thenComparing(SkippedPath::reason));
        var warnings = new ArrayList<String>();
        if (walk.left() > 0) {
            warnings.add(spent() + walk.left() + " folders were not looked at to their end, nor what lies in them");
        }
        if (table.unexamined() > 0) {
            warnings.add(spent() + table.unexamined() + " files were found and not looked into");
        }
        return new ScanReport(rows, skipped, states, warnings.isEmpty(), warnings);
    }

    private String spent() {
        return "The " + budget.toSeconds() + " s for a scan were up: ";
    }
}
