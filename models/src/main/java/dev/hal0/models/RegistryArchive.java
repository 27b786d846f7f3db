package dev.hal0.models;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.jspecify.annotations.Nullable;

/**
 * Takes the registry out of a backup. The whole archive is looked through before anything of it is used, so one member
 * that reaches out of its folder refuses all of it; nothing is unpacked to disk, and every size has a bound: an archive of
 * a few kilobytes may promise to be terabytes.
 */
final class RegistryArchive {
    /**
     * @param total bytes of the unpacked archive at most
     * @param registry bytes of the registry in it at most
     * @param members of the archive at most
     * @param header bytes of the long names and extended headers before a member; real ones have a few kilobytes
     */
    record Limits(long total, int registry, int members, int header) {
        static final Limits DEFAULT = new Limits(4L << 30, 8 << 20, 200_000, 1 << 20);
    }

    /** The registry's text, and what it is called in the archive. */
    record Found(String member, String text) {}

    /** Where a backup may have it, the whole system's first. */
    private static final List<String> PLACES =
            List.of("var/lib/hal0/registry/registry.toml", "registry/registry.toml", "registry.toml");

    private final Path archive;
    private final Limits limits;

    RegistryArchive(Path archive, Limits limits) {
        this.archive = archive;
        this.limits = limits;
    }

    /** @throws Hal0Exception {@code model.archive_invalid} saying what is wrong with it */
    Found read() {
        requireFile();
        try (var tarred = new BoundedStream(unpacked(), limits.total());
                var tar = new TarArchiveInputStream(tarred)) {
            return read(tar, tarred);
        } catch (IOException | IllegalArgumentException broken) {
            throw refuse("is no readable tar.gz: " + broken.getMessage(), broken);
        }
    }

    private void requireFile() {
        try {
            if (!Files.readAttributes(archive, BasicFileAttributes.class).isRegularFile()) {
                throw refuse("is not a regular file", null);
            }
        } catch (NoSuchFileException absent) {
            throw refuse("does not exist", absent);
        } catch (IOException failure) {
            throw refuse(Disk.described(failure), failure);
        }
    }

    /** Also a tar that somebody unpacked from its gzip. */
    private InputStream unpacked() throws IOException {
        var raw = new BufferedInputStream(Files.newInputStream(archive), 1 << 16);
        try {
            raw.mark(2);
            boolean zipped = raw.read() == 0x1F && raw.read() == 0x8B;
            raw.reset();
            return zipped ? new BufferedInputStream(new GZIPInputStream(raw, 1 << 16), 1 << 16) : raw;
        } catch (IOException failure) {
            raw.close();
            throw failure;
        }
    }

    private Found read(TarArchiveInputStream tar, BoundedStream bound) throws IOException {
        var found = new ArrayList<@Nullable String>(java.util.Collections.nCopies(PLACES.size(), null));
        int members = 0;
        while (true) {
            bound.allow(limits.header());
            TarArchiveEntry entry = tar.getNextEntry();
            bound.allow(Long.MAX_VALUE);
            if (entry == null) {
                break;
            }
            if (++members > limits.members()) {
                throw refuse("has more than " + limits.members() + " members", null);
            }
            String name = required(entry);
            int place = PLACES.indexOf(name);
            if (place < 0) {
                drain(tar);
            } else if (!entry.isFile() || entry.isSymbolicLink() || entry.isLink()) {
                throw refuse("has a " + name + " that is not a regular file", null);
            } else if (found.set(place, text(tar, name)) != null) {
                throw refuse("has " + name + " twice", null);
            }
        }
        if (members == 0) {
            throw refuse("is no tar archive, or an empty one", null);
        }
        for (int place = 0; place < PLACES.size(); place++) {
            String text = found.get(place);
            if (text != null) {
                return new Found(PLACES.get(place), text);
            }
        }
        throw refuse("holds none of " + String.join(", ", PLACES), null);
    }

    /** A member's name without a leading {@code ./}. */
    private String required(TarArchiveEntry entry) {
        String name = entry.getName();
        if (!entry.isCheckSumOK()) {
            throw refuse("is no tar archive, or a damaged one", null);
        }
        if (name.startsWith("/")
                || name.startsWith("\\")
                || name.matches("[A-Za-z]:.*")
                || Arrays.asList(name.split("[/\\\\]", -1)).contains("..")) {
            throw refuse("has a member that reaches out of it: " + printable(name), null);
        }
        if (entry.isSparse()) {
            throw refuse("has a sparse member: " + printable(name), null);
        }
        String plain = name;
        while (plain.startsWith("./")) {
            plain = plain.substring(2);
        }
        return plain;
    }

    private String text(TarArchiveInputStream tar, String name) throws IOException {
        var bytes = new ByteArrayOutputStream();
        var buffer = new byte[1 << 16];
        for (int count = tar.read(buffer); count >= 0; count = tar.read(buffer)) {
            bytes.write(buffer, 0, count);
            if (bytes.size() > limits.registry()) {
                throw refuse("has a " + name + " of more than " + limits.registry() + " bytes", null);
            }
        }
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes.toByteArray()))
                    .toString();
        } catch (CharacterCodingException notText) {
            throw refuse("has a " + name + " that is not UTF-8 text", notText);
        }
    }

    /** Read and not skipped: skipping moves past the bound in one step. */
    private static void drain(TarArchiveInputStream tar) throws IOException {
        var buffer = new byte[1 << 16];
        int count;
        do {
            count = tar.read(buffer);
        } while (count >= 0);
    }

    private Hal0Exception refuse(String message, @Nullable Exception cause) {
        String text = archive + ": " + message;
        var refusal = cause == null
                ? new Hal0Exception(ErrorCode.MODEL_ARCHIVE_INVALID, text)
                : new Hal0Exception(ErrorCode.MODEL_ARCHIVE_INVALID, text, cause);
        return refusal.withDetail("path", archive.toString());
    }

    private static String printable(String name) {
        String clean = name.replaceAll("\\p{C}", "?");
        return clean.substring(0, Math.min(200, clean.length()));
    }

    /** Ends with an error, not with the machine's memory, when more comes than was promised. */
    private static final class BoundedStream extends FilterInputStream {
        private final long total;
        private long left;
        private long allowed = Long.MAX_VALUE;

        BoundedStream(InputStream in, long total) {
            super(in);
            this.total = total;
            this.left = total;
        }

        /** From here until the next call. */
        void allow(long bytes) {
            allowed = bytes;
        }

        @Override
        public int read() throws IOException {
            int value = super.read();
            count(value < 0 ? 0 : 1);
            return value;
        }

        @Override
        public int read(byte[] into, int offset, int length) throws IOException {
            int count = super.read(into, offset, length);
            count(Math.max(0, count));
            return count;
        }

        @Override
        public long skip(long bytes) throws IOException {
            long count = super.skip(bytes);
            count(count);
            return count;
        }

        @Override
        public boolean markSupported() {
            return false;
        }

        private void count(long bytes) throws IOException {
            left -= bytes;
            allowed -= bytes;
            if (left < 0) {
                throw new IOException("it is larger than " + total + " bytes");
            }
            if (allowed < 0) {
                throw new IOException("the header of a member is too large");
            }
        }
    }
}
