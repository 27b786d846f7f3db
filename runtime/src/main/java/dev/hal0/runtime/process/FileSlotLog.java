package dev.hal0.runtime.process;

import dev.hal0.slots.SlotLog;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
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
        return older(lines, new HashSet<>());
    }

    /** The newest lines of the files that were not yet read: a rotation meanwhile shows a file again under its next name. */
    private List<String> older(int lines, Set<Object> alreadyRead) {
        var newestFirst = new ArrayList<String>();
        for (int number = 0; number <= keep && newestFirst.size() < lines; number++) {
            Optional<Object> identity;
            List<String> read;
            do {
                identity = identityOf(part(number));
                read = identity.filter(there -> !alreadyRead.contains(there)).isEmpty()
                        ? List.of()
                        : tail(part(number), lines - newestFirst.size());
            } while (!identityOf(part(number)).equals(identity));
            identity.ifPresent(alreadyRead::add);
            newestFirst.addAll(read.reversed());
        }
        return newestFirst.reversed();
    }

    private Path part(int number) {
        return number == 0 ? file : file.resolveSibling(file.getFileName() + "." + number);
    }

    private static Optional<Object> identityOf(Path part) {
        try {
            return Optional.of(Files.getAttribute(part, "unix:ino"));
        } catch (IOException absent) {
            return Optional.empty();
        }
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
            List<String> all = lines(collected);
            // Unless the file's start was reached, the first line may be the rest of one.
            List<String> whole = position > 0 && all.size() > 1 ? all.subList(1, all.size()) : all;
            return whole.subList(Math.max(0, whole.size() - lines), whole.size());
        } catch (IOException gone) {
            return List.of();
        }
    }

    /** Ends at line feeds only, like a follower's lines; the last one may be without. */
    private static List<String> lines(byte[] bytes) {
        var lines = new ArrayList<>(List.of(new String(bytes, StandardCharsets.UTF_8).split("\n", -1)));
        if (lines.getLast().isEmpty()) {
            lines.removeLast();
        }
        return lines;
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
                int newest = 0;
                while (newest <= keep && !open(part(newest))) {
                    newest++;
                }
                FileChannel opened = channel;
                if (opened != null && identity != null) {
                    var lines = new ArrayList<String>();
                    drain(opened, lines::add);
                    first.addAll(older(backfill - lines.size(), new HashSet<>(Set.of(identity))));
                    first.addAll(lines.subList(Math.max(0, lines.size() - backfill), lines.size()));
                }
            } catch (IOException gone) {
                forgetChannel();
            }
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
                while (openNext(current)) {
                    current = channel;
                }
            } catch (IOException gone) {
                forgetChannel();
            }
        }

        /**
         * Goes on with the file that followed the current one: several may have, since the last look.
         *
         * @return false when the current one is still the newest, or the next one does not exist yet
         */
        private boolean openNext(@Nullable FileChannel current) throws IOException {
            int number = number();
            if (number == 0) {
                return false;
            }
            Path next = part(number - 1);
            if (current != null) {
                // Nothing is written to it any more: this is its end.
                drain(current, listener);
            }
            Optional<Object> nextIdentity = identityOf(next);
            if (nextIdentity.isEmpty() || number() != number) {
                return nextIdentity.isPresent();
            }
            if (open(next)) {
                drain(java.util.Objects.requireNonNull(channel), listener);
            }
            return true;
        }

        /** Where the current file is now; one past the oldest when it is gone, or there was none yet. */
        private int number() {
            Optional<Object> wanted = Optional.ofNullable(identity);
            int oldest = 0;
            for (int number = 0; number <= keep; number++) {
                Optional<Object> there = identityOf(part(number));
                if (there.isPresent() && there.equals(wanted)) {
                    return number;
                }
                oldest = there.isPresent() ? number : oldest;
            }
            return oldest + 1;
        }

        /** @return false when there is no such file, or another one took its name meanwhile; nothing changed then */
        private boolean open(Path part) throws IOException {
            Optional<Object> there = identityOf(part);
            FileChannel opened;
            try {
                opened = FileChannel.open(part, StandardOpenOption.READ);
            } catch (NoSuchFileException absent) {
                return false;
            }
            if (there.isEmpty() || !identityOf(part).equals(there)) {
                opened.close();
                return false;
            }
            forgetChannel();
            channel = opened;
            identity = there.get();
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
