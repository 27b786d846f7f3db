package dev.hal0.runtime.process;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/**
 * A process of its own behind each engine: reads the engine's output from a pipe and appends it to a file that it rotates. It
 * outlives the control plane, as the engine does; it ends when the engine does (end of the pipe). Renaming a log that a
 * detached engine writes itself would not work: the engine keeps its descriptor.
 *
 * <p>Needs nothing but the JDK, so that it starts quickly and stays small. A full disk loses lines and says so later; it
 * never blocks the engine, whose output must not become its brake.
 */
public final class LogWriter {
    private static final int BUFFER_BYTES = 32 << 10;

    private final Path file;
    private final long rotateAfterBytes;
    private final int keep;
    private @Nullable OutputStream output;
    private long size;
    private long lostBytes;

    LogWriter(Path file, long rotateAfterBytes, int keep) {
        this.file = file;
        this.rotateAfterBytes = rotateAfterBytes;
        this.keep = keep;
    }

    /** Arguments: file, bytes after which to rotate, how many old files to keep. */
    public static void main(String[] arguments) throws IOException {
        ignoreSignals();
        var writer = new LogWriter(Path.of(arguments[0]), Long.parseLong(arguments[1]), Integer.parseInt(arguments[2]));
        writer.copy(System.in);
    }

    /** Only the end of the pipe ends it: a signal to the group of a terminal must not cost the engine its output. */
    private static void ignoreSignals() {
        for (String name : new String[] {"INT", "TERM", "HUP"}) {
            sun.misc.Signal.handle(new sun.misc.Signal(name), sun.misc.SignalHandler.SIG_IGN);
        }
    }

    void copy(InputStream input) throws IOException {
        byte[] buffer = new byte[BUFFER_BYTES];
        int read;
        while ((read = input.read(buffer)) >= 0) {
            append(buffer, read);
        }
        announceLoss();
        close();
    }

    /** Rotates only after a line's end, so that no line is ever split over two files. */
    private void append(byte[] buffer, int length) {
        int end = lastLineEnd(buffer, length);
        if (size + length > rotateAfterBytes && end > 0) {
            write(buffer, 0, end);
            rotate();
            write(buffer, end, length - end);
        } else {
            write(buffer, 0, length);
        }
    }

    private static int lastLineEnd(byte[] buffer, int length) {
        for (int i = length; i > 0; i--) {
            if (buffer[i - 1] == '\n') {
                return i;
            }
        }
        return 0;
    }

    private void write(byte[] buffer, int offset, int length) {
        if (length == 0 && lostBytes == 0) {
            return;
        }
        try {
            OutputStream current = output == null ? open() : output;
            if (lostBytes > 0) {
                byte[] note = ("[hal0: " + lostBytes + " bytes of this log were lost: it could not be written]\n")
                        .getBytes(StandardCharsets.UTF_8);
                current.write(note);
                size += note.length;
                lostBytes = 0;
            }
            current.write(buffer, offset, length);
            size += length;
        } catch (IOException fullOrGone) {
            lostBytes += length;
            close();
        }
    }

    /** An engine that says no more must not hide what was lost before. */
    private void announceLoss() {
        if (lostBytes > 0) {
            write(new byte[0], 0, 0);
        }
    }

    /** Begins a line of its own: an earlier engine or a full disk may have left half a one. */
    private OutputStream open() throws IOException {
        OutputStream opened = Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        output = opened;
        if (endsInsideLine()) {
            opened.write('\n');
        }
        size = Files.size(file);
        return opened;
    }

    private boolean endsInsideLine() throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            var last = ByteBuffer.allocate(1);
            return channel.size() > 0 && channel.read(last, channel.size() - 1) == 1 && last.get(0) != '\n';
        }
    }

    private void rotate() {
        close();
        try {
            for (int i = keep - 1; i >= 1; i--) {
                Path older = numbered(i);
                if (Files.exists(older)) {
                    Files.move(older, numbered(i + 1), StandardCopyOption.REPLACE_EXISTING);
                }
            }
            Files.move(file, numbered(1), StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException cannotRotate) {
            // The file grows past its limit rather than losing a line.
            size = 0;
        }
    }

    private Path numbered(int number) {
        return file.resolveSibling(file.getFileName() + "." + number);
    }

    private void close() {
        if (output != null) {
            try {
                output.close();
            } catch (IOException ignored) {
                // Nothing is buffered here: what was written is with the system.
            }
            output = null;
        }
    }
}
