package dev.hal0.models;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Tells "deleted" from "cannot be seen now". Only a folder that can be read, and that other files show to be the right one,
 * is a witness for a file's absence.
 */
final class GoneCheck {
    enum Answer {
        PRESENT,
        GONE,
        UNCERTAIN
    }

    record Verdict(Answer answer, String reason) {}

    private static final Verdict PRESENT = new Verdict(Answer.PRESENT, "");

    private final StoreRoot store;
    private final Disk disk;

    GoneCheck(StoreRoot store, Disk disk) {
        this.store = store;
        this.disk = disk;
    }

    /** A file of size 0 is there. */
    Verdict verdict(RegisteredModel model) {
        Optional<Path> path = model.path();
        return path.isEmpty() ? PRESENT : verdict(path.get(), model.volume());
    }

    private Verdict verdict(Path path, Optional<Path> volume) {
        List<Path> parts = ModelFiles.parts(path);
        int absent = 0;
        for (Path part : parts) {
            try {
                disk.attributes(part);
            } catch (NoSuchFileException gone) {
                absent++;
            } catch (IOException failure) {
                return uncertain(part + ": " + Disk.described(failure));
            }
        }
        if (absent == 0) {
            return PRESENT;
        }
        if (absent < parts.size()) {
            return uncertain("of " + parts.size() + " parts " + absent + " are not there, the others are");
        }
        if (volume.isPresent() && !ModelFiles.isMountPoint(volume.get())) {
            return uncertain("nothing is mounted at " + volume.get());
        }
        Optional<Path> link = StoreRoot.leadsNowhere(path, disk);
        if (link.isPresent()) {
            return volume.isPresent() ? gone(path) : behind(link.get(), path);
        }
        return inRoot(path);
    }

    private Verdict inRoot(Path path) {
        Optional<Path> root = store.rootOf(path);
        Path witness = root.orElse(path.getParent());
        if (witness == null) {
            return uncertain("it lies in no folder");
        }
        StoreState state = StoreRoot.state(witness, disk);
        if (!state.isOk()) {
            return uncertain(root.isPresent() ? state.detail() : state.detail() + ", and it lies in no known root");
        }
        return isEmpty(witness)
                ? uncertain(witness + " is empty, as a folder is on which nothing is mounted")
                : gone(path);
    }

    /** The link is there, so somebody meant the file to be; its target's folder must tell. */
    private Verdict behind(Path link, Path path) {
        try {
            Path target = link.resolveSibling(Files.readSymbolicLink(link)).normalize();
            Path folder = target.getParent();
            if (link.equals(path)
                    && folder != null
                    && StoreRoot.state(folder, disk).isOk()
                    && !isEmpty(folder)) {
                return gone(target);
            }
            return uncertain(link + " is a link to " + target + ", which is not there; is its volume mounted?");
        } catch (IOException failure) {
            return uncertain(link + ": " + Disk.described(failure));
        }
    }

    private boolean isEmpty(Path folder) {
        try {
            return disk.entries(folder).isEmpty();
        } catch (IOException failure) {
            return true;
        }
    }

    private static Verdict gone(Path file) {
        return new Verdict(Answer.GONE, "there is no file " + file);
    }

    private static Verdict uncertain(String reason) {
        return new Verdict(Answer.UNCERTAIN, reason);
    }
}
