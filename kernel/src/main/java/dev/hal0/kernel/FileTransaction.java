package dev.hal0.kernel;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;

/**
 * Changes several files together. What is meant to be written is first written down in an intent file; from the moment that
 * file is durable, the change happens: {@link #recover} finishes at the next start what a crash cut off. A file that
 * somebody edited by hand between the crash and the start is left as they made it.
 *
 * <p>Thread-safe within one process; two processes must not share an intent file.
 */
public final class FileTransaction {
    /** @param before what the change was made from; null for no file. Committing is refused when it is something else now */
    public record Change(Path path, @Nullable String before, String after) {}

    /** @param leftAlone what a person has changed meanwhile */
    public record Recovery(List<Path> completed, List<Path> leftAlone) {}

    private record Intent(List<Change> changes) {}

    private final Path intent;
    private final DurableFiles files;

    /** @param intent a file of its own for this kind of transaction */
    public FileTransaction(Path intent, DurableFiles files) {
        this.intent = intent.toAbsolutePath().normalize();
        this.files = files;
    }

    /**
     * Writes all files or none.
     *
     * @throws Hal0Exception {@code resource.precondition_failed} when one of them is not what the change was made from,
     *     {@code system.storage} when the disk refuses; nothing is changed then, or, when it refuses to undo, too,
     *     everything at the next start
     */
    public synchronized void commit(List<Change> changes) {
        var sorted = changes.stream()
                .map(change -> new Change(change.path().toAbsolutePath().normalize(), change.before(), change.after()))
                .sorted(Comparator.comparing(Change::path))
                .toList();
        locked(sorted, 0, () -> {
            finishEarlier();
            for (Change change : sorted) {
                if (!current(change).equals(Optional.ofNullable(change.before()))) {
                    throw new Hal0Exception(
                            ErrorCode.PRECONDITION_FAILED, change.path() + " changed while this was decided.");
                }
            }
            files.write(
                    intent,
                    Json.STRICT.writeValueAsString(new Intent(sorted)).getBytes(StandardCharsets.UTF_8),
                    DurableFiles.PRIVATE);
            writeAll(sorted);
            files.delete(intent);
            return sorted;
        });
    }

    /**
     * Finishes what a crash cut off; called before anybody reads the files.
     *
     * @throws Hal0Exception {@code state.corrupt} when the intent file is none, {@code system.storage}
     */
    public synchronized Recovery recover() {
        Optional<String> text = files.read(intent);
        if (text.isEmpty()) {
            return new Recovery(List.of(), List.of());
        }
        var completed = new ArrayList<Path>();
        var leftAlone = new ArrayList<Path>();
        for (Change change : parse(text.get()).changes()) {
            Optional<String> now = current(change);
            if (now.equals(Optional.ofNullable(change.before()))) {
                files.write(change.path(), change.after());
                completed.add(change.path());
            } else if (!now.equals(Optional.of(change.after()))) {
                leftAlone.add(change.path());
            }
        }
        files.delete(intent);
        return new Recovery(completed, leftAlone);
    }

    /** Left behind when undoing failed: the same disk may take it now. */
    private void finishEarlier() {
        var unused = recover();
    }

    private void writeAll(List<Change> changes) {
        var done = new ArrayList<Change>();
        try {
            for (Change change : changes) {
                done.add(change);
                files.write(change.path(), change.after());
            }
        } catch (Hal0Exception failure) {
            try {
                done.forEach(this::undo);
                files.delete(intent);
            } catch (Hal0Exception second) {
                failure.addSuppressed(second);
            }
            throw failure;
        }
    }

    private void undo(Change change) {
        if (current(change).equals(Optional.ofNullable(change.before()))) {
            return;
        }
        if (change.before() == null) {
            files.delete(change.path());
        } else {
            files.write(change.path(), change.before());
        }
    }

    private Optional<String> current(Change change) {
        return files.read(change.path());
    }

    private Intent parse(String text) {
        try {
            return Json.STRICT.readValue(text, Intent.class);
        } catch (JacksonException damaged) {
            throw new Hal0Exception(ErrorCode.STATE_CORRUPT, intent + " is no intent of hal0's.", damaged)
                    .withDetail("path", intent.toString());
        }
    }

    /** In path order, so that two transactions cannot wait for each other. */
    private <T> T locked(List<Change> changes, int from, Supplier<T> work) {
        return from == changes.size()
                ? work.get()
                : files.exclusively(changes.get(from).path(), () -> locked(changes, from + 1, work));
    }
}
