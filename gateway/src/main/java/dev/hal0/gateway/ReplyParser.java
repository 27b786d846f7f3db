package dev.hal0.gateway;

import dev.hal0.gateway.ReplyFields.Framing;
import io.vertx.core.buffer.Buffer;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Reads one HTTP/1.1 reply out of the pieces in which a socket hands it over. However the bytes are cut, the same head, the
 * same body and the same end come out, and the same bytes are refused.
 *
 * <p>The body's bytes of one piece are handed on as one buffer, however many chunks the piece holds: an engine in a hurry
 * fills a piece with dozens of them, and each one handed on by itself would be a write to the client.
 *
 * <p>What is kept between two pieces is the beginning of a line, and never more than {@link #MOST_HEAD_BYTES}. Not
 * thread-safe.
 */
final class ReplyParser {
    /** Of all heads of one reply together, interim ones and trailers included. */
    static final int MOST_HEAD_BYTES = 32 << 10;

    /** A chunk's size and its extensions. */
    static final int MOST_SIZE_LINE_BYTES = 256;

    /** No chunk is held, but one that is announced as larger than this was not announced by an engine. */
    static final long MOST_CHUNK_BYTES = 1L << 30;

    private static final int LINE_END_BYTES = 2;
    private static final Buffer NOTHING = Buffer.buffer(0);
    private static final String LATIN_1 = StandardCharsets.ISO_8859_1.name();

    /** Hears what is in a reply, in this order; the body in as many pieces as it came in. */
    interface Reader {
        void head(ReplyHead head);

        /** @param bytes at least one; may share memory with what was read */
        void body(Buffer bytes);

        /** {@link ReplyParser#isLastOfItsConnection} is known. */
        void end();
    }

    private enum At {
        STATUS_LINE,
        FIELD,
        LENGTH,
        UNTIL_CLOSE,
        CHUNK_SIZE,
        CHUNK,
        CHUNK_END,
        TRAILER,
        END
    }

    private At at = At.STATUS_LINE;
    private boolean begun;
    private boolean last;
    private int headBytes;
    private int trailers;
    private @Nullable ReplyFields fields;

    /** Of the body or the chunk. */
    private long left;

    /** The beginning of a line whose end has not come. */
    private @Nullable Buffer partial;

    // What is being read just now

    private Buffer piece = NOTHING;
    private int position;
    private Buffer line = NOTHING;
    private int lineFrom;
    private int lineTo;
    private @Nullable Buffer body;
    private boolean bodyIsCopy;

    /** What came before the fault was handed on already when this throws; nothing may be read after it. */
    void read(Buffer next, Reader reader) throws MalformedReplyException {
        begun = begun || next.length() > 0;
        piece = next;
        position = 0;
        try {
            while (at != At.END && position < piece.length()) {
                step(reader);
            }
        } finally {
            handOver(reader);
        }
        if (at == At.END) {
            // Bytes that nobody asked for: what comes after them on this connection is anybody's guess.
            last = last || position < next.length();
            reader.end();
        }
    }

    /** The engine has closed the connection. */
    void closed(Reader reader) throws MalformedReplyException {
        if (at != At.UNTIL_CLOSE) {
            throw new MalformedReplyException(
                    begun
                            ? "the engine closed the connection in the middle of its answer"
                            : "the engine closed the connection");
        }
        at = At.END;
        reader.end();
    }

    /** Whether one byte of a reply has come, be it only of an interim one. */
    boolean hasBegun() {
        return begun;
    }

    /** Whether the connection can carry no further reply. */
    boolean isLastOfItsConnection() {
        return last;
    }

    private void step(Reader reader) throws MalformedReplyException {
        switch (at) {
            case STATUS_LINE -> {
                if (headLineIsWhole()) {
                    fields = new ReplyFields(text());
                    at = At.FIELD;
                }
            }
            case FIELD -> {
                if (headLineIsWhole()) {
                    field(reader, Objects.requireNonNull(fields));
                }
            }
            case LENGTH -> at = takeBody() ? At.END : At.LENGTH;
            case UNTIL_CLOSE -> {
                left = piece.length() - position;
                var unused = takeBody();
            }
            case CHUNK_SIZE -> {
                if (lineIsWhole(MOST_SIZE_LINE_BYTES)) {
                    left = chunkSize();
                    at = left == 0 ? At.TRAILER : At.CHUNK;
                }
            }
            case CHUNK -> at = takeBody() ? At.CHUNK_END : At.CHUNK;
            case CHUNK_END -> {
                if (lineIsWhole(LINE_END_BYTES)) {
                    at = At.CHUNK_SIZE;
                }
            }
            case TRAILER -> {
                if (headLineIsWhole()) {
                    trailer(text());
                }
            }
            case END -> {}
        }
    }

    // Heads and trailers

    private void field(Reader reader, ReplyFields head) throws MalformedReplyException {
        String line = text();
        if (!line.isEmpty()) {
            head.add(line);
            return;
        }
        Framing framing = head.framing();
        if (head.isInterim()) {
            at = At.STATUS_LINE;
            return;
        }
        last = head.closes() || framing == Framing.UNTIL_CLOSE;
        left = framing == Framing.LENGTH ? head.length() : 0;
        at = switch (framing) {
            case NONE -> At.END;
            case LENGTH -> left == 0 ? At.END : At.LENGTH;
            case CHUNKED -> At.CHUNK_SIZE;
            case UNTIL_CLOSE -> At.UNTIL_CLOSE;
        };
        reader.head(head.head());
    }

    /** Nobody here needs one; that is no reason to take anything for one. */
    private void trailer(String line) throws MalformedReplyException {
        if (line.isEmpty()) {
            at = At.END;
        } else if (++trailers > ReplyFields.MOST_FIELDS || line.indexOf(':') < 1) {
            throw new MalformedReplyException("the engine's answer ends with something that is no trailer");
        }
    }

    // Bodies

    /** Takes what the piece has of the body or the chunk; true if that was the rest. */
    private boolean takeBody() {
        int from = position;
        int length = (int) Math.min(left, piece.length() - from);
        position += length;
        left -= length;
        Buffer before = body;
        if (before == null) {
            body = piece.slice(from, from + length);
        } else {
            if (!bodyIsCopy) {
                before = Buffer.buffer(piece.length()).appendBuffer(before);
                bodyIsCopy = true;
            }
            body = before.appendBuffer(piece, from, length);
        }
        return left == 0;
    }

    private void handOver(Reader reader) {
        Buffer whole = body;
        body = null;
        bodyIsCopy = false;
        // A link may lie for seconds, and thousands of them do: none keeps what it read.
        piece = NOTHING;
        line = NOTHING;
        if (whole != null) {
            reader.body(whole);
        }
    }

    /** Hexadecimal digits, perhaps followed by extensions, of which nobody here understands any. */
    private long chunkSize() throws MalformedReplyException {
        long size = 0;
        int i = lineFrom;
        for (int digit = hex(i); digit >= 0; digit = hex(++i)) {
            size = size << 4 | digit;
            if (size > MOST_CHUNK_BYTES) {
                throw new MalformedReplyException("a chunk of the engine's answer is too large");
            }
        }
        boolean extended = i < lineTo && (line.getByte(i) == ';' || isBlank(line.getByte(i)));
        if (i == lineFrom || i < lineTo && !extended) {
            throw new MalformedReplyException("a chunk of the engine's answer has no size");
        }
        for (; i < lineTo; i++) {
            refuseControl(line.getByte(i));
        }
        return size;
    }

    /** -1 at the line's end, too. */
    private int hex(int index) {
        return index < lineTo ? Character.digit((char) (line.getByte(index) & 0xff), 16) : -1;
    }

    // Lines

    private boolean headLineIsWhole() throws MalformedReplyException {
        boolean whole = lineIsWhole(MOST_HEAD_BYTES - headBytes);
        if (whole) {
            headBytes += lineTo - lineFrom + LINE_END_BYTES;
        }
        return whole;
    }

    /** Whether a line ends in this piece; then it is {@link #line}. Else its beginning is kept. */
    private boolean lineIsWhole(int most) throws MalformedReplyException {
        int from = position;
        int feed = from;
        while (feed < piece.length() && piece.getByte(feed) != '\n') {
            feed++;
        }
        boolean whole = feed < piece.length();
        position = whole ? feed + 1 : feed;
        Buffer begun = partial;
        if ((begun == null ? 0 : begun.length()) + position - from > most) {
            throw new MalformedReplyException("a line of the engine's answer is too long");
        }
        if (begun == null && whole) {
            line = piece;
            lineFrom = from;
            lineTo = feed - 1;
        } else {
            partial =
                    begun == null ? piece.getBuffer(from, position) : begun.appendBuffer(piece, from, position - from);
            if (!whole) {
                return false;
            }
            line = partial;
            partial = null;
            lineFrom = 0;
            lineTo = line.length() - LINE_END_BYTES;
        }
        if (lineTo < lineFrom || line.getByte(lineTo) != '\r') {
            throw new MalformedReplyException("a line of the engine's answer has no proper end");
        }
        return true;
    }

    private String text() throws MalformedReplyException {
        for (int i = lineFrom; i < lineTo; i++) {
            refuseControl(line.getByte(i));
        }
        return line.getString(lineFrom, lineTo, LATIN_1);
    }

    private static void refuseControl(byte b) throws MalformedReplyException {
        if (b >= 0 && b < 0x20 && b != '\t' || b == 0x7f) {
            throw new MalformedReplyException("a line of the engine's answer holds control characters");
        }
    }

    private static boolean isBlank(byte b) {
        return b == ' ' || b == '\t';
    }
}
