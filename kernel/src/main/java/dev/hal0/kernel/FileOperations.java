package dev.hal0.kernel;

import java.io.IOException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Set;

/**
 * The primitive steps a durable write is made of, apart so that a test can record them, cut the sequence anywhere and see
 * what a reader would find.
 */
public interface FileOperations {
    /** Creates {@code path}, which must not exist, with exactly this content; does not force it to the medium. */
    void write(Path path, byte[] content, Set<PosixFilePermission> mode) throws IOException;

    /** Forces a file's content, or a folder's entries, to the medium. */
    void force(Path path) throws IOException;

    /** Atomically gives {@code source} the name {@code target}, replacing what was there. */
    void rename(Path source, Path target) throws IOException;

    /** Succeeds when there is nothing to delete. */
    void delete(Path path) throws IOException;

    String read(Path path) throws IOException;
}
