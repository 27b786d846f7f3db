package dev.hal0.runtime.process;

import dev.hal0.slots.SlotLog;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Reads what {@link LogWriter} writes, across rotations. */
final class FileSlotLog implements SlotLog {
    private static final int BLOCK = 64 << 10;
    private static final long POLL_MILLIS = 100;

    /** A line longer than this is delivered in pieces rather than kept in memory whole. */
    private static final int LONGEST_LINE = 1 << 20;

    private final Path file;
    private final int keep;

    FileSlotLog(Path file, int keep) {
        this.file = file;
        this.keep = keep;
    }

    @Override
    public List<String> tail(int lines) {
        var newestFirst = new ArrayList<String>();
        for (int number = 0; number <= keep && newestFirst.size() < lines; number++) {
            Path part = number == 0 ? file : file.resolveSibling(file.getFileName() + "." + number);
            if (Files.exists(part)) {
                newestFirst.addAll(tail(part, lines - newestFirst.size()).reversed());
            }
        }
        return newestFirst.reversed();
    }

    /** Reads blocks from the end until enough lines are there. */
    private static List<String> tail(Path part, int lines) {
        try (var input = new RandomAccessFile(part.toFile(), "r")) {
            long position = input.length();
            byte[] collected = new byte[0];
            int ends = 0;
            while (position > 0 && ends <= lines) {
                int length = (int) Math.min(BLOCK, position);
                position -= length;
                byte[] block = new byte[length + collected.length];
                input.seek(position);
                input.readFully(block, 0, length);
                System.arraycopy(collected, 0, block, length, collected.length);
                collected = block;
                ends = 0;
                for (byte value : collected) {
                    ends += value == '\n' ? 1 : 0;
                }
            }
            List<String> all =
                    new String(collected, StandardCharsets.UTF_8).lines().toList();
            // Unless the file's start was reached, the first line may be the rest of one.
            List<String> whole = position > 0 && all.size() > 1 ? all.subList(1, all.size()) : all;
            return whole.subList(Math.max(0, whole.size() - lines), whole.size());
        } catch (IOException gone) {
            return List.of();
        }
    }

    @Override
    public AutoCloseable follow(int backfill, Consumer<String> listener) {
        var closed = new CountDownLatch(1);
        var follower = new Follower(listener, closed);
        follower.begin(backfill);
        Thread.ofVirtual().name("log-follow-" + file.getParent()).start(follower::run);
        return closed::countDown;
    }

    /** Keeps the file open across its renaming, so that its last lines are read before the next file's first. */
    private final class Follower {
        private final Consumer<String> listener;
        private final CountDownLatch closed;
        private final ArrayDeque<String> first = new ArrayDeque<>();
        private byte[] partial = new byte[0];
        private @Nullable FileChannel channel;
        private @Nullable Object identity;

        Follower(Consumer<String> listener, CountDownLatch closed) {
            this.listener = listener;
            this.closed = closed;
        }

        /** Fixes the position to follow from and the lines before it at one instant of the file. */
        void begin(int backfill) {
            try {
                if (open()) {
                    FileChannel opened = java.util.Objects.requireNonNull(channel);
                    var lines = new ArrayList<String>();
                    drain(opened, lines::add);
                    List<String> older =
                            lines.size() >= backfill ? List.of() : olderThanCurrent(backfill - lines.size());
                    first.addAll(older);
                    first.addAll(lines.subList(Math.max(0, lines.size() - backfill), lines.size()));
                }
            } catch (IOException gone) {
                forgetChannel();
            }
        }

        private List<String> olderThanCurrent(int count) {
            Path previous = file.resolveSibling(file.getFileName() + ".1");
            return Files.exists(previous) ? tail(previous, count) : List.of();
        }

        void run() {
            first.forEach(listener);
            try {
                while (!closed.await(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
                    poll();
                }
            } catch (InterruptedException closing) {
                Thread.currentThread().interrupt();
            } finally {
                forgetChannel();
            }
        }

        private void poll() {
            try {
                FileChannel current = channel;
                if (current != null) {
                    drain(current, listener);
                }
                if (wasReplaced()) {
                    if (current != null) {
                        drain(current, listener);
                    }
                    forgetChannel();
                    if (open()) {
                        drain(java.util.Objects.requireNonNull(channel), listener);
                    }
                }
            } catch (IOException gone) {
                forgetChannel();
            }
        }

        private boolean wasReplaced() throws IOException {
            return Files.exists(file) && !java.util.Objects.equals(identity, Files.getAttribute(file, "unix:ino"));
        }

        private boolean open() throws IOException {
            if (!Files.exists(file)) {
                return false;
            }
            channel = FileChannel.open(file, StandardOpenOption.READ);
            identity = Files.getAttribute(file, "unix:ino");
            return true;
        }

        private void drain(FileChannel source, Consumer<String> sink) throws IOException {
            var buffer = ByteBuffer.allocate(BLOCK);
            while (source.read(buffer) > 0) {
                buffer.flip();
                split(buffer, sink);
                buffer.clear();
            }
        }

        private void split(ByteBuffer buffer, Consumer<String> sink) {
            byte[] bytes = new byte[partial.length + buffer.remaining()];
            System.arraycopy(partial, 0, bytes, 0, partial.length);
            buffer.get(bytes, partial.length, buffer.remaining());
            int start = 0;
            for (int i = partial.length; i < bytes.length; i++) {
                if (bytes[i] == '\n') {
                    sink.accept(new String(bytes, start, i - start, StandardCharsets.UTF_8));
                    start = i + 1;
                }
            }
            partial = java.util.Arrays.copyOfRange(bytes, start, bytes.length);
            if (partial.length > LONGEST_LINE) {
                sink.accept(new String(partial, StandardCharsets.UTF_8));
                partial = new byte[0];
            }
        }

        private void forgetChannel() {
            if (channel != null) {
                try {
                    channel.close();
                } catch (IOException ignored) {
                    // It was only read.
                }
                channel = null;
                identity = null;
            }
        }
    }
}
