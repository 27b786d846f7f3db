package dev.hal0.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.slots.FormRules;
import io.vertx.core.buffer.Buffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MultipartReaderTest {
    /** Looks like the delimiter for as long as possible. */
    private static final String ALMOST = "a\r\n--" + FormText.BOUNDARY.substring(0, 12) + "\r\r\n-\r\n--\n";

    private static MultipartForm read(String type, List<String> pieces) {
        MultipartReader reader = MultipartReader.of(type);
        pieces.forEach(piece -> reader.read(bytes(piece)));
        return reader.finish();
    }

    private static MultipartForm read(String text) {
        return read(FormText.TYPE, List.of(text));
    }

    private static Buffer bytes(String text) {
        return Buffer.buffer(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    /** What an engine would get. */
    private static String forEngine(String text, FormRules rules, Optional<String> model) {
        var all = Buffer.buffer();
        read(text)
                .forEngine(new StoredBody.InMemory(bytes(text)), rules, model)
                .pieces()
                .forEach(piece -> all.appendBuffer(((BodyPiece.Bytes) piece).bytes()));
        return all.toString(StandardCharsets.ISO_8859_1);
    }

    private static void refused(String text, String words) {
        assertThatThrownBy(() -> read(text))
                .isInstanceOf(Hal0Exception.class)
                .hasMessageContaining(words)
                .extracting(failure -> ((Hal0Exception) failure).code())
                .isEqualTo(ErrorCode.REQUEST_FORM_INVALID);
    }

    @Test
    void formCutAtEveryByte_isTheSameForm() {
        String text = new FormText()
                .file("file", ALMOST + ALMOST)
                .field("model", "whisper-1")
                .field("prompt", "")
                .end();
        MultipartForm whole = read(text);

        assertThat(whole.parts()).hasSize(3);
        assertThat(whole.field("model")).contains("whisper-1");
        assertThat(whole.field("prompt")).contains("");
        MultipartForm.Part file = whole.parts().getFirst();
        assertThat(text.substring((int) file.contentAt(), (int) file.contentEnd()))
                .isEqualTo(ALMOST + ALMOST);
        for (int cut = 0; cut <= text.length(); cut++) {
            assertThat(read(FormText.TYPE, List.of(text.substring(0, cut), text.substring(cut))))
                    .as("cut at %d", cut)
                    .isEqualTo(whole);
        }
        assertThat(read(FormText.TYPE, List.of(text.split("(?<=.)(?s)")))).isEqualTo(whole);
    }

    @Property(tries = 300)
    void anyContents_areFoundWhole(@ForAll("contents") List<String> contents) {
        var form = new FormText();
        for (int i = 0; i < contents.size(); i++) {
            form.file("f" + i, contents.get(i));
        }
        String text = form.end();

        List<MultipartForm.Part> parts = read(text).parts();

        var found = new ArrayList<String>();
        parts.forEach(part -> found.add(text.substring((int) part.contentAt(), (int) part.contentEnd())));
        assertThat(found).isEqualTo(contents);
        // What an engine gets without any rule is a form with the same contents.
        assertThat(forEngine(text, FormRules.NONE, Optional.empty())).isEqualTo(text);
    }

    @Provide
    Arbitrary<List<String>> contents() {
        return Arbitraries.of("\r", "\n", "-", "--", "\r\n--", FormText.BOUNDARY.substring(2), "x", "\u00ff", "\0")
                .list()
                .ofMaxSize(12)
                .map(pieces -> String.join("", pieces))
                // The delimiter itself cannot be part of a content; whoever makes a form chooses another one then.
                .filter(content -> !("\r\n" + content + "\r\n").contains("\r\n--" + FormText.BOUNDARY))
                .list()
                .ofMinSize(1)
                .ofMaxSize(5);
    }

    @Property(tries = 500)
    void anyDamage_isAFormOrRefusedAndNeverAnythingElse(@ForAll("damaged") String text) {
        try {
            MultipartForm form = read(text);
            form.parts()
                    .forEach(part -> assertThat(part.contentEnd()).isBetween(part.contentAt(), (long) text.length()));
        } catch (Hal0Exception refused) {
            assertThat(refused.code()).isEqualTo(ErrorCode.REQUEST_FORM_INVALID);
        }
    }

    @Provide
    Arbitrary<String> damaged() {
        String text = new FormText().file("file", "RIFF").field("model", "m").end();
        return Arbitraries.integers()
                .between(0, text.length() - 1)
                .flatMap(at -> Arbitraries.of("", "\r", "\n", "\r\n", "-", "\"", ":", "\0", "--" + FormText.BOUNDARY)
                        .map(damage -> text.substring(0, at) + damage + text.substring(at + 1)));
    }

    @Test
    void textAroundAForm_isIgnoredAndNotPassedOn() {
        String form = new FormText().field("a", "1").end();

        assertThat(forEngine(
                        "preamble\r\n" + form + "epilogue --" + FormText.BOUNDARY, FormRules.NONE, Optional.empty()))
                .isEqualTo(form);
    }

    @Test
    void quotedBoundary_isRead() {
        assertThat(read(
                                "multipart/form-data; charset=utf-8; boundary=\"" + FormText.BOUNDARY + "\"",
                                List.of(new FormText().field("a", "1").end()))
                        .field("a"))
                .contains("1");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "application/json",
                "multipart/mixed; boundary=x",
                "multipart/form-data",
                "multipart/form-data; boundary=",
                "multipart/form-data; boundary=\"\"",
                "multipart/form-data; boundary=\"a\rb\"",
                "multipart/form-data; boundary=äöü",
                "multipart/form-data; boundary=aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggghh"
            })
    void typeWithoutAUsableBoundary_isNamed(String type) {
        assertThatThrownBy(() -> MultipartReader.of(type))
                .isInstanceOfSatisfying(
                        Hal0Exception.class,
                        refused -> assertThat(refused.param()).contains("Content-Type"));
    }

    @Test
    void formWithoutItsEnd_isRefused() {
        refused("", "last boundary is missing");
        refused(new FormText().field("a", "1").open(), "middle of the field `a`");
        refused("no boundary at all", "last boundary is missing");
    }

    @Test
    void hostileHeaders_areRefused() {
        refused(new FormText().part("Content-Type: text/plain", "x").end(), "no name");
        refused(
                new FormText()
                        .part("Content-Disposition: attachment; name=\"a\"", "x")
                        .end(),
                "no name");
        refused(
                new FormText()
                        .part("Content-Disposition: form-data; name=\"\"", "x")
                        .end(),
                "no name");
        refused(new FormText().part("no colon", "x").end(), "malformed");
        refused(new FormText().part("A: b\r\n folded", "x").end(), "malformed");
        refused(new FormText().part("A: b\u0000c", "x").end(), "malformed");
        refused(new FormText().part("A: b\nB: c", "x").end(), "malformed");
        refused(new FormText().part("X: " + "y".repeat(9_000), "x").end(), "longer than 8192");
        refused(
                new FormText()
                        .part("Content-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b", "x")
                        .end(),
                "two Content-Dispositions");
        refused(
                new FormText()
                        .part("Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64", "eA==")
                        .end(),
                "base64");
    }

    /** The engine would take one of the two, and nobody knows which. */
    @Test
    void modelGivenTwice_isNamed() {
        refused(
                new FormText()
                        .field("model", "a")
                        .file("file", "x")
                        .field("model", "b")
                        .end(),
                "`model` is given twice");
        assertThat(read(new FormText()
                                .field("timestamp_granularities[]", "word")
                                .field("timestamp_granularities[]", "segment")
                                .end())
                        .parts())
                .hasSize(2);
    }

    @Test
    void hugeField_isNamedLongBeforeItsEnd() {
        MultipartReader reader = MultipartReader.of(FormText.TYPE);
        reader.read(bytes(new FormText()
                .part("Content-Disposition: form-data; name=\"prompt\"", "")
                .open()));

        assertThatThrownBy(() -> reader.read(bytes("x".repeat(70_000))))
                .hasMessageContaining("`prompt` is longer than 65536 bytes");
    }

    @Test
    void manyFields_areRefused() {
        var form = new FormText();
        for (int i = 0; i < 65; i++) {
            form.field("f" + i, "");
        }
        refused(form.end(), "more than 64 fields");
    }

    @Test
    void nestedMultipart_isTheOpaqueContentOfItsField() {
        String nested = "--inner\r\nContent-Disposition: file; filename=\"a\"\r\n\r\nx\r\n--inner--\r\n";
        String text = new FormText()
                .part(
                        "Content-Disposition: form-data; name=\"file\"\r\nContent-Type: multipart/mixed; boundary=inner",
                        nested)
                .end();

        assertThat(read(text).field("file")).contains(nested);
    }

    /** Regression (P38 of the gateway's list): an alias stayed in the form that the engine got. */
    @Test
    void model_isRewrittenWhereverItStands() {
        for (String text : List.of(
                new FormText().field("model", "stt").file("file", "RIFF").end(),
                new FormText().file("file", "RIFF").field("model", "stt").end(),
                new FormText().file("file", "RIFF").end())) {
            String sent = forEngine(text, FormRules.NONE, Optional.of("tiny"));
            MultipartForm form = read(sent);
            assertThat(form.field("model")).contains("tiny");
            assertThat(sent)
                    .doesNotContain("stt")
                    .contains("filename=\"a b.wav\"\r\nContent-Type: audio/wav\r\n\r\nRIFF\r\n");
        }
    }

    @Test
    void rules_setDropAndRefuse() {
        var rules = new FormRules(
                Map.of("translate", "true"), Set.of("debug_mode"), Map.of("response_format", Set.of("json", "text")));
        String text = new FormText()
                .field("debug_mode", "1")
                .field("translate", "no")
                .field("response_format", "text")
                .field("temperature", "0")
                .end();

        MultipartForm sent = read(forEngine(text, rules, Optional.empty()));

        assertThat(sent.field("debug_mode")).isEmpty();
        assertThat(sent.field("translate")).contains("true");
        assertThat(sent.field("temperature")).contains("0");
        assertThatThrownBy(() -> forEngine(
                        new FormText().field("response_format", "docx").end(), rules, Optional.empty()))
                .hasMessage("`response_format` is 'docx'; the engine knows json, text.")
                .isInstanceOfSatisfying(
                        Hal0Exception.class,
                        refused -> assertThat(refused.param()).contains("response_format"));
    }
}
