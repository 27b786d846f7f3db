package dev.hal0.slots;

import dev.hal0.kernel.FileOperations;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/** A disk that can become full; forces nothing, because no test here cuts the power. */
final class SwitchableDisk implements FileOperations {
    private volatile boolean full;

    void fill() {
        full = true;
    }

    void free() {
        full = false;
    }

    @Override
    public void write(Path path, byte[] content, Set<PosixFilePermission> mode) throws IOException {
        if (full) {
            throw new FileSystemException(path.toString(), null, "No space left on device");
        }
        Files.createFile(path, PosixFilePermissions.asFileAttribute(mode));
        Files.write(path, content);
    }

    @Override
    public void force(Path path) {}

    @Override
    public void rename(Path source, Path target) throws IOException {
        Files.move(source, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    @Override
    public void delete(Path path) throws IOException {
        Files.deleteIfExists(path);
    }

    @Override
    public String read(Path path) throws IOException {
        return Files.readString(path);
    }
}
