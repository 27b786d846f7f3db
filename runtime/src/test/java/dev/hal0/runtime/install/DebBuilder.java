package dev.hal0.runtime.install;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import org.apache.commons.compress.archivers.ar.ArArchiveEntry;
import org.apache.commons.compress.archivers.ar.ArArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.apache.commons.compress.compressors.xz.XZCompressorOutputStream;

/** Makes Debian packages with any content, also content that dpkg-deb would refuse to make. */
final class DebBuilder {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final TarArchiveOutputStream tar;

    DebBuilder() {
        try {
            tar = new TarArchiveOutputStream(new XZCompressorOutputStream(bytes));
            tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    DebBuilder folder(String name) {
        return entry(new TarArchiveEntry(name.endsWith("/") ? name : name + "/", true), new byte[0]);
    }

    DebBuilder file(String name, int mode, String content) {
        byte[] data = content.getBytes(StandardCharsets.UTF_8);
        var entry = new TarArchiveEntry(name, true);
        entry.setMode(mode);
        entry.setSize(data.length);
        return entry(entry, data);
    }

    DebBuilder bytes(String name, byte[] data) {
        var entry = new TarArchiveEntry(name, true);
        entry.setSize(data.length);
        return entry(entry, data);
    }

    DebBuilder link(String name, String target) {
        return special(name, TarConstants.LF_SYMLINK, target);
    }

    DebBuilder special(String name, byte type, String target) {
        var entry = new TarArchiveEntry(name, type, true);
        entry.setLinkName(target);
        return entry(entry, new byte[0]);
    }

    byte[] build() {
        try {
            tar.close();
            var deb = new ByteArrayOutputStream();
            try (var ar = new ArArchiveOutputStream(deb)) {
                member(ar, "debian-binary", "2.0\n".getBytes(StandardCharsets.UTF_8));
                member(ar, "control.tar.xz", new byte[] {1, 2, 3});
                member(ar, "data.tar.xz", bytes.toByteArray());
            }
            return deb.toByteArray();
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private DebBuilder entry(TarArchiveEntry entry, byte[] data) {
        try {
            tar.putArchiveEntry(entry);
            tar.write(data);
            tar.closeArchiveEntry();
            return this;
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private static void member(ArArchiveOutputStream ar, String name, byte[] data) throws IOException {
        ar.putArchiveEntry(new ArArchiveEntry(name, data.length));
        ar.write(data);
        ar.closeArchiveEntry();
    }
}
