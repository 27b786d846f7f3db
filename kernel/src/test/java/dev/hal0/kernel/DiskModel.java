package dev.hal0.kernel;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Records the steps of real writes and answers what a disk may hold if the power fails after any prefix of them. Harsher
 * than any real file system: content that was not forced may be missing, cut, zeroed or complete; names that were changed
 * without forcing the folder may or may not have changed, each on its own.
 */
final class DiskModel implements FileOperations {
    private sealed interface Step {}

    private record Wrote(Path path, String content) implements Step {}

    private record Forced(Path path, boolean folder) implements Step {}

    private record Renamed(Path source, Path target) implements Step {}

    private record Deleted(Path path) implements Step {}

    private final FileOperations disk = new SystemFileOperations();
    private final List<Step> steps = new ArrayList<>();
    private final List<Set<PosixFilePermission>> modes = new ArrayList<>();

    @Override
    public void write(Path path, byte[] content, Set<PosixFilePermission> mode) throws IOException {
        disk.write(path, content, mode);
        modes.add(mode);
        steps.add(new Wrote(path, new String(content, StandardCharsets.UTF_8)));
    }

    @Override
    public void force(Path path) throws IOException {
        disk.force(path);
        steps.add(new Forced(path, Files.isDirectory(path)));
    }

    @Override
    public void rename(Path source, Path target) throws IOException {
        disk.rename(source, target);
        steps.add(new Renamed(source, target));
    }

    @Override
    public void delete(Path path) throws IOException {
        disk.delete(path);
        steps.add(new Deleted(path));
    }

    @Override
    public String read(Path path) throws IOException {
        return disk.read(path);
    }

    /** The modes that files were created with. */
    List<Set<PosixFilePermission>> modes() {
        return modes;
    }

    List<Path> forced() {
        return steps.stream()
                .filter(Forced.class::isInstance)
                .map(step -> ((Forced) step).path())
                .toList();
    }

    int recorded() {
        return steps.size();
    }

    /**
     * Every content that {@code target} may have after a power cut behind the first {@code prefix} steps; "(absent)" when
     * the name may be missing.
     */
    Set<String> possibleContents(Path target, String before, int prefix) {
        // A file's content belongs to the inode, which a rename carries along.
        Map<Path, Set<String>> contents = new HashMap<>(Map.of(target, Set.of(before)));
        Set<Set<String>> names = new HashSet<>(Set.of(Set.of(before)));
        for (Step step : steps.subList(0, prefix)) {
            switch (step) {
                case Wrote wrote -> contents.put(wrote.path(), damaged(wrote.content()));
                case Forced forced
                when !forced.folder() ->
                    contents.computeIfPresent(forced.path(), (path, any) -> Set.of(written(path, prefix)));
                case Forced forced -> {
                    if (forced.path().equals(target.getParent())) {
                        names = new HashSet<>(Set.of(contents.getOrDefault(target, Set.of("(absent)"))));
                    }
                }
                case Renamed renamed -> {
                    var moved = contents.remove(renamed.source());
                    if (moved == null) {
                        throw new AssertionError("renamed what was never written: " + renamed);
                    }
                    contents.put(renamed.target(), moved);
                    if (renamed.target().equals(target)) {
                        names.add(moved);
                    }
                }
                case Deleted deleted -> {
                    contents.remove(deleted.path());
                    if (deleted.path().equals(target)) {
                        names.add(Set.of("(absent)"));
                    }
                }
            }
        }
        var possible = new HashSet<String>();
        names.forEach(possible::addAll);
        return possible;
    }

    private String written(Path path, int prefix) {
        for (int i = prefix - 1; i >= 0; i--) {
            if (steps.get(i) instanceof Wrote wrote && wrote.path().equals(path)) {
                return wrote.content();
            }
        }
        throw new AssertionError("forced what was never written: " + path);
    }

    private static Set<String> damaged(String content) {
        char[] zeroes = new char[content.length()];
        Arrays.fill(zeroes, '\0');
        return Set.of("", content.substring(0, content.length() / 2), new String(zeroes), content);
    }
}
