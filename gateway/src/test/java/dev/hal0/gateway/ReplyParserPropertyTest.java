package dev.hal0.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.buffer.Buffer;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

/** However a reply is cut, the same comes out; whatever the bytes are, it is a reply or one refusal, in bounded memory. */
class ReplyParserPropertyTest {
    /** Of a body beyond the bytes themselves: copies of pieces, lines and heads. */
    private static final long MOST_MEMORY = 4L << 20;

    @Property(tries = 2000)
    void any_cut_gives_the_same_reply(
            @ForAll("replies") String text, @ForAll @Size(max = 12) List<@IntRange(max = 4_000) Integer> cuts) {
        assertSameHoweverCut(bytes(text), cuts);
    }

    @Property(tries = 300)
    void single_bytes_give_the_same_reply(@ForAll("replies") String text) {
        List<Integer> everywhere = new ArrayList<>();
        for (int i = 1; i < text.length(); i++) {
            everywhere.add(i);
        }
        assertSameHoweverCut(bytes(text), everywhere);
    }

    @Property(tries = 3000)
    void changed_bytes_are_read_or_refused_however_cut(
            @ForAll("replies") String text,
            @ForAll @Size(min = 1, max = 6) int[] places,
            @ForAll @Size(6) byte[] values,
            @ForAll @Size(max = 6) List<@IntRange(max = 4_000) Integer> cuts) {
        byte[] bytes = bytes(text);
        for (int i = 0; i < places.length; i++) {
            bytes[Math.floorMod(places[i], bytes.length)] = values[i];
        }
        assertSameHoweverCut(bytes, cuts);
    }

    @Property(tries = 2000)
    void any_bytes_are_read_or_refused(@ForAll @Size(max = 400) byte[] bytes, @ForAll("prefixes") String prefix) {
        byte[] all = Buffer.buffer(bytes(prefix)).appendBytes(bytes).getBytes();
        assertSameHoweverCut(all, List.of(1, prefix.length(), prefix.length() + 1, all.length - 1));
    }

    @Property(tries = 64)
    void endless_input_costs_no_memory(@ForAll("prefixes") String prefix, @ForAll("fillers") String filler) {
        var parser = new ReplyParser();
        Buffer piece = Buffer.buffer(bytes(filler.repeat(8_192 / filler.length())));
        long before = allocated();
        long most = 0;
        try {
            parser.read(Buffer.buffer(bytes(prefix)), new Ignoring());
            for (int i = 0; i < 1_000; i++) {
                parser.read(piece, new Ignoring());
                most += piece.length() * 2L;
            }
        } catch (MalformedReplyException refused) {
            // Which is one of the two ways not to need memory.
        }
        assertThat(allocated() - before).isLessThan(MOST_MEMORY + most);
    }

    @Provide
    Arbitrary<String> replies() {
        Arbitrary<String> status = Arbitraries.of("200 OK", "200", "500 Oh no", "204 No", "304 Same");
        Arbitrary<String> interim = Arbitraries.of("", "HTTP/1.1 100 Continue\r\n\r\n");
        Arbitrary<String> fields = Arbitraries.of(
                        "Content-Type: text/event-stream\r\n",
                        "Keep-Alive: timeout=5, max=100\r\n",
                        "Connection: close\r\n",
                        "Retry-After: 3\r\n",
                        "X-Odd: \u00e9\t;\"\r\n",
                        "Server:\r\n")
                .list()
                .ofMaxSize(4)
                .map(lines -> String.join("", lines));
        return Combinators.combine(interim, status, fields, bodies(), Arbitraries.of("", "", "HTTP/1.1 2"))
                .as((before, line, some, body, surplus) ->
                        before + "HTTP/1.1 " + line + "\r\n" + some + body + surplus);
    }

    private static Arbitrary<String> bodies() {
        Arbitrary<String> data = Arbitraries.strings()
                .withChars('a', '\r', '\n', '0', '\u00ff')
                .ofMinLength(1)
                .ofMaxLength(300);
        Arbitrary<String> chunk = Combinators.combine(
                        data, Arbitraries.of("", ";x", "; a=\"b\""), Arbitraries.of("%x", "%X", "%06x"))
                .as((text, extension, size) -> String.format(size, text.length()) + extension + "\r\n" + text + "\r\n");
        Arbitrary<String> chunked = Combinators.combine(chunk.list().ofMaxSize(8), Arbitraries.of("", "X-Sum: 1\r\n"))
                .as((chunks, trailer) ->
                        "Transfer-Encoding: chunked\r\n\r\n" + String.join("", chunks) + "0\r\n" + trailer + "\r\n");
        return Arbitraries.oneOf(
                chunked,
                data.map(text -> "Content-Length: " + text.length() + "\r\n\r\n" + text),
                data.map(text -> "\r\n" + text));
    }

    @Provide
    Arbitrary<String> prefixes() {
        return Arbitraries.of(
                "",
                "HTTP/1.1 200 OK\r\n",
                "HTTP/1.1 200 OK\r\nX: y",
                "HTTP/1.1 200 OK\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n");
    }

    @Provide
    Arbitrary<String> fillers() {
        return Arbitraries.of("a", "\r", "\n", "\r\n", "0", "1\r\na\r\n", "X: y\r\n", "HTTP/1.1 100 Continue\r\n\r\n");
    }

    private static void assertSameHoweverCut(byte[] bytes, List<Integer> cuts) {
        Reply whole = Reply.read(List.of(Buffer.buffer(bytes)), true);
        Reply cut = Reply.read(pieces(bytes, cuts), true);
        assertThat(cut.joined()).isEqualTo(whole.joined());
        assertThat(whole.ended() || whole.refused()).isTrue();
        assertThat(whole.pieces()).hasSizeLessThan(2);
    }

    private static List<Buffer> pieces(byte[] bytes, List<Integer> cuts) {
        var pieces = new ArrayList<Buffer>();
        int from = 0;
        for (int cut : new TreeSet<>(cuts)) {
            if (cut > from && cut < bytes.length) {
                pieces.add(Buffer.buffer(bytes).getBuffer(from, cut));
                from = cut;
            }
        }
        pieces.add(Buffer.buffer(bytes).getBuffer(from, bytes.length));
        return pieces;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    private static long allocated() {
        return ((com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean()).getCurrentThreadAllocatedBytes();
    }

    private static final class Ignoring implements ReplyParser.Reader {
        @Override
        public void head(ReplyHead head) {}

        @Override
        public void body(Buffer bytes) {}

        @Override
        public void end() {}
    }
}
