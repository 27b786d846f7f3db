package dev.hal0.gateway;

import io.vertx.core.buffer.Buffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What came out of a {@link ReplyParser}.
 *
 * @param head null while there is none
 * @param pieces in which the body was handed over
 * @param refused the bytes are no reply
 * @param last of its connection; meaningless before the end
 */
record Reply(@Nullable ReplyHead head, List<Buffer> pieces, boolean ended, boolean refused, boolean last) {
    /** @param closed the connection ends behind the last piece */
    static Reply read(List<Buffer> pieces, boolean closed) {
        var parser = new ReplyParser();
        var heads = new ArrayList<ReplyHead>();
        var bodies = new ArrayList<Buffer>();
        var ends = new ArrayList<Boolean>();
        var reader = new ReplyParser.Reader() {
            @Override
            public void head(ReplyHead head) {
                require(heads.isEmpty() && bodies.isEmpty() && ends.isEmpty(), "a head comes first and once");
                heads.add(head);
            }

            @Override
            public void body(Buffer bytes) {
                require(!heads.isEmpty() && ends.isEmpty() && bytes.length() > 0, "a body is between head and end");
                bodies.add(bytes.copy());
            }

            @Override
            public void end() {
                require(!heads.isEmpty() && ends.isEmpty(), "an end comes last and once");
                ends.add(parser.isLastOfItsConnection());
            }
        };
        boolean refused = false;
        boolean surplus = false;
        try {
            for (Buffer piece : pieces) {
                // What a link does with bytes behind the end: it closes.
                surplus |= !ends.isEmpty() && piece.length() > 0;
                if (ends.isEmpty()) {
                    parser.read(piece, reader);
                }
            }
            if (closed && ends.isEmpty()) {
                parser.closed(reader);
            }
        } catch (MalformedReplyException malformed) {
            refused = true;
        }
        boolean last = surplus || ends.contains(true);
        return new Reply(heads.isEmpty() ? null : heads.getFirst(), bodies, !ends.isEmpty(), refused, last);
    }

    static Reply of(String... pieces) {
        var buffers = new ArrayList<Buffer>();
        for (String piece : pieces) {
            buffers.add(Buffer.buffer(piece.getBytes(StandardCharsets.ISO_8859_1)));
        }
        return read(buffers, false);
    }

    static Reply closedAfter(String text) {
        return read(List.of(Buffer.buffer(text.getBytes(StandardCharsets.ISO_8859_1))), true);
    }

    String body() {
        Buffer all = Buffer.buffer();
        pieces.forEach(all::appendBuffer);
        return all.toString(StandardCharsets.ISO_8859_1);
    }

    /** The same whatever the cuts. */
    Reply joined() {
        return new Reply(
                head, List.of(Buffer.buffer(body(), StandardCharsets.ISO_8859_1.name())), ended, refused, last);
    }

    private static void require(boolean condition, String why) {
        if (!condition) {
            throw new AssertionError(why);
        }
    }
}
