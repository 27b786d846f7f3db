package dev.hal0.runtime.install;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The packages that ship with hal0 beside its code. Trusted as little as a mirror: the pin's hash decides. */
record BundledPackages(Optional<Path> bundles) {
    private static final Logger log = LoggerFactory.getLogger(BundledPackages.class);

    /** Copies the file of {@code pin} into {@code target}'s folder; false when it does not ship, or is damaged. */
    boolean provide(String engine, EngineLock.Pin pin, FileTransfer target) throws IOException {
        if (bundles.isEmpty()) {
            return false;
        }
        Path folder = bundles.get().resolve(engine);
        String fileName = pin.path().substring(pin.path().lastIndexOf('/') + 1);
        for (String name : List.of(pin.sha256() + ".deb", fileName)) {
            Path shipped = folder.resolve(name);
            if (Files.isRegularFile(shipped) && copied(shipped, pin, target)) {
                return true;
            }
        }
        return false;
    }

    /** The copy is checked, not the original, which may change in between. */
    private static boolean copied(Path shipped, EngineLock.Pin pin, FileTransfer target) throws IOException {
        Path copy = target.folder().resolve(pin.sha256() + ".bundled");
        Files.copy(shipped, copy, StandardCopyOption.REPLACE_EXISTING);
        if (!FileTransfer.matches(copy, pin)) {
            log.warn("{} is not the file that is pinned, and is left out", shipped);
            Files.delete(copy);
            return false;
        }
        Files.move(copy, target.file(pin), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        return true;
    }
}
