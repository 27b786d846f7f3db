package dev.hal0.kernel;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

final class SystemFileOperations implements FileOperations {
    private static final Set<StandardOpenOption> CREATE_NEW =
            Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);

    @Override
    public void write(Path path, byte[] content, Set<PosixFilePermission> mode) throws IOException {
        // The mode is given at creation: a secret is never readable by others, not even for a moment.
        var attributes = PosixFilePermissions.asFileAttribute(mode);
        try (var channel = FileChannel.open(path, CREATE_NEW, attributes)) {
            var buffer = ByteBuffer.wrap(content);
            while (buffer.hasRemaining()) {
                channel.write(buffer);
            }
        }
        // Creation is subject to the umask; the mode asked for is what a kept mode must be restored to.
        Files.setPosixFilePermissions(path, mode);
    }

    @Override
    public void force(Path path) throws IOException {
        try (var channel = FileChannel.open(path, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

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
