package dev.hal0.models;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;

/** The real disk, on which everything in one folder answers as a network mount whose server forgot it. */
record FailingDisk(Path stale) implements Disk {
    private Path checked(Path path) throws IOException {
        if (path.startsWith(stale)) {
            throw new FileSystemException(path.toString(), null, "Stale file handle");
        }
        return path;
    }

    @Override
    public BasicFileAttributes attributes(Path path) throws IOException {
        return Disk.SYSTEM.attributes(checked(path));
    }

    @Override
    public BasicFileAttributes ownAttributes(Path path) throws IOException {
        return Disk.SYSTEM.ownAttributes(checked(path));
    }

    @Override
    public List<Path> entries(Path folder) throws IOException {
        return Disk.SYSTEM.entries(checked(folder));
    }

    @Override
    public Path real(Path path) throws IOException {
        return Disk.SYSTEM.real(checked(path));
    }
}
