package dev.hal0.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ReplyParserTest {
    private static final String OK = "HTTP/1.1 200 OK\r\n";
    private static final String CHUNKED = OK + "Transfer-Encoding: chunked\r\n\r\n";

    // Bodies

    @Test
    void bodyWithLength_endsWithIt() {
        Reply reply = Reply.of(OK + "Content-Length: 5\r\nContent-Type: application/json\r\n\r\nhello");

        assertThat(reply.head()).isEqualTo(new ReplyHead(200, "application/json", null, null));
        assertThat(reply.body()).isEqualTo("hello");
        assertThat(reply.ended()).isTrue();
        assertThat(reply.last()).isFalse();
    }

    @Test
    void lengthOfZero_isAnEndAtOnce() {
        Reply reply = Reply.of(OK + "Content-Length: 0\r\n\r\n");

        assertThat(reply.ended()).isTrue();
        assertThat(reply.pieces()).isEmpty();
    }

    @Test
    void manyChunksInOnePiece_areOnePieceOfBody() {
        Reply reply = Reply.of(CHUNKED + "1\r\na\r\n2\r\nbc\r\n0A;x=\"y\"\r\n0123456789\r\n3 \r\ndef\r\n0\r\n\r\n");

        assertThat(reply.pieces()).singleElement().hasToString("abc0123456789def");
        assertThat(reply.ended()).isTrue();
        assertThat(reply.last()).isFalse();
    }

    @Test
    void piecesOfOneChunk_areHandedOnAsTheyCome() {
        Reply reply = Reply.of(CHUNKED + "6\r\nab", "cd", "ef", "\r\n0\r\n\r\n");

        assertThat(reply.pieces()).extracting(Object::toString).containsExactly("ab", "cd", "ef");
        assertThat(reply.ended()).isTrue();
    }

    @Test
    void trailers_areReadAndForgotten() {
        assertThat(Reply.of(CHUNKED + "1\r\na\r\n0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n")
                        .ended())
                .isTrue();
    }

    @Test
    void bodyWithoutLength_endsWithTheConnection() {
        Reply open = Reply.of(OK + "\r\nab");
        Reply closed = Reply.closedAfter(OK + "\r\nab");

        assertThat(open.ended()).isFalse();
        assertThat(closed.ended()).isTrue();
        assertThat(closed.last()).isTrue();
        assertThat(closed.body()).isEqualTo("ab");
    }

    @ParameterizedTest
    @ValueSource(strings = {"204", "304"})
    void statusWithoutBody_endsWithItsHead(String status) {
        assertThat(Reply.of("HTTP/1.1 " + status + "\r\nContent-Length: 7\r\n\r\n")
                        .ended())
                .isTrue();
    }

    // Heads

    @Test
    void interimReplies_areSkipped() {
        Reply reply = Reply.of("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK
                + "Content-Length: 1\r\n\r\na");

        assertThat(reply.head()).isEqualTo(new ReplyHead(200, null, null, null));
        assertThat(reply.body()).isEqualTo("a");
    }

    @Test
    void fieldsOfInterest_areFoundHoweverTheyAreWritten() {
        Reply reply = Reply.of(
                "HTTP/1.1 503\r\nRETRY-AFTER:\t7 \r\ncontent-encoding:gzip\r\nContent-type: a\r\nX: \u00e9\r\ncontent-LENGTH: 0\r\n\r\n");

        assertThat(reply.head()).isEqualTo(new ReplyHead(503, "a", "gzip", "7"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
                "HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 0\r\n\r\n",
                "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n",
                "HTTP/1.1 204 No\r\n\r\nx",
            })
    void replyAfterWhichNothingCanCome_isTheLast(String reply) {
        assertThat(Reply.of(reply).ended()).isTrue();
        assertThat(Reply.of(reply).last()).isTrue();
    }

    // What is refused

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\r\n",
                "HTTP/1.1 200 OK\n\n",
                "HTTP/2 200 OK\r\n",
                "HTTP/1.2 200 OK\r\n",
                "http/1.1 200 OK\r\n",
                "HTTP/1.1  200 OK\r\n",
                "HTTP/1.1 20 OK\r\n",
                "HTTP/1.1 2000 OK\r\n",
                "HTTP/1.1 +20 OK\r\n",
                "HTTP/1.1 099 OK\r\n",
                "HTTP/1.1 600 OK\r\n",
                "HTTP/1.1 101 Switching Protocols\r\n",
                "HTTP/1.1 200 O\rK\r\n",
                "HTTP/1.1 200 O\u0000K\r\n",
            })
    void statusLineThatIsNone_isRefused(String line) {
        assertThat(Reply.of(line).refused()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Content-Length: 5\r\n folded: 1\r\n",
                "Content-Length: 5\r\n\tfolded\r\n",
                "no colon\r\n",
                ": no name\r\n",
                "Content-Length : 5\r\n",
                "X: a\rb\r\n",
                "X: a\u0000b\r\n",
                "X: a\u007fb\r\n",
                "X\u00e9: a\r\n",
                "X: a\n",
                "Content-Length: 5\r\nContent-Length: 5\r\n",
                "Content-Length: 5\r\nContent-Length: 6\r\n",
                "Content-Length: 5, 5\r\n",
                "Content-Length: -1\r\n",
                "Content-Length: +1\r\n",
                "Content-Length: 0x10\r\n",
                "Content-Length: 1 1\r\n",
                "Content-Length:\r\n",
                "Content-Length: 9223372036854775808\r\n",
                "Transfer-Encoding: gzip, chunked\r\n",
                "Transfer-Encoding: identity\r\n",
                "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
                "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
            })
    void headThatCouldBeTakenInTwoWays_isRefused(String fields) {
        assertThat(Reply.of(OK + fields).refused()).isTrue();
    }

    @Test
    void chunksOfAnOldProtocol_areRefused() {
        assertThat(Reply.of("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n").refused())
                .isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\r\n",
                "g\r\n",
                "-1\r\n",
                "0x5\r\n",
                " 5\r\n",
                "5\n",
                "5x\r\n",
                "5;a\rb\r\n",
                "40000001\r\n",
                "ffffffffffffffffffff\r\n",
                "1\r\nabcd",
                "1\r\na\n",
                "1\r\naX\r\n",
                "0\r\nno trailer\r\n",
            })
    void chunkThatIsNone_isRefused(String chunk) {
        assertThat(Reply.of(CHUNKED + chunk).refused()).isTrue();
    }

    @Test
    void bytesBeforeTheFault_areHandedOn() {
        Reply reply = Reply.of(CHUNKED + "2\r\nab\r\n2\r\ncd\r\nfault\r\n");

        assertThat(reply.refused()).isTrue();
        assertThat(reply.body()).isEqualTo("abcd");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "HTTP/1.1 200",
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
                "HTTP/1.1 100 Continue\r\n\r\n",
            })
    void connectionThatEndsTooEarly_isRefused(String cut) {
        assertThat(Reply.of(cut).refused()).isFalse();
        assertThat(Reply.closedAfter(cut).refused()).isTrue();
    }

    // Limits

    @Test
    void headAtTheLimit_isRead() {
        String fields = "X: y\r\n".repeat(ReplyFields.MOST_FIELDS - 1) + "Content-Length: 0\r\n\r\n";
        String padding = "A: " + "a".repeat(ReplyParser.MOST_HEAD_BYTES - OK.length() - 5 - 21 - 6) + "\r\n";

        assertThat(Reply.of(OK + fields).ended()).isTrue();
        assertThat(Reply.of(OK + "X: y\r\n" + fields).refused()).isTrue();
        assertThat(Reply.of(OK + padding + "B: b\r\nContent-Length: 0\r\n\r\n").ended())
                .isTrue();
        assertThat(Reply.of(OK + padding + "B: bb\r\nContent-Length: 0\r\n\r\n").refused())
                .isTrue();
    }

    @Test
    void interimRepliesWithoutEnd_areRefused() {
        assertThat(Reply.of("HTTP/1.1 100 Continue\r\n\r\n".repeat(2_000)).refused())
                .isTrue();
    }

    @Test
    void trailersWithoutEnd_areRefused() {
        assertThat(Reply.of(CHUNKED + "0\r\n" + "X: y\r\n".repeat(ReplyFields.MOST_FIELDS + 1))
                        .refused())
                .isTrue();
    }

    @Test
    void lineWithoutEnd_isRefusedBeforeItIsHeld() {
        assertThat(Reply.of(OK + "X: ", "y".repeat(ReplyParser.MOST_HEAD_BYTES)).refused())
                .isTrue();
        assertThat(Reply.of(CHUNKED + "1;", "y".repeat(ReplyParser.MOST_SIZE_LINE_BYTES))
                        .refused())
                .isTrue();
    }
}
