package dev.hal0.kernel;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Arrays;
import java.util.Set;

/** A disk that fails at the n-th changing step, after doing half of it where a step can be half done. */
final class BrokenDisk implements FileOperations {
    private final FileOperations disk = new SystemFileOperations();
    private final int failingStep;
    private int step;

    /** @param failingStep from 0; a number beyond the last step never fails */
    BrokenDisk(int failingStep) {
        this.failingStep = failingStep;
    }

    boolean hasFailed() {
        return step > failingStep;
    }

    @Override
    public void write(Path path, byte[] content, Set<PosixFilePermission> mode) throws IOException {
        if (fails()) {
            disk.write(path, Arrays.copyOf(content, content.length / 2), mode);
            throw full(path);
        }
        disk.write(path, content, mode);
    }

    @Override
    public void force(Path path) throws IOException {
        if (fails()) {
            throw full(path);
        }
        disk.force(path);
    }

    @Override
    public void rename(Path source, Path target) throws IOException {
        if (fails()) {
            throw full(target);
        }
        disk.rename(source, target);
    }

    @Override
    public void delete(Path path) throws IOException {
        disk.delete(path);
    }

    @Override
    public String read(Path path) throws IOException {
        return disk.read(path);
    }

    private boolean fails() {
        return step++ == failingStep;
    }

    private static FileSystemException full(Path path) {
        return new FileSystemException(path.toString(), null, "No space left on device");
    }
}
