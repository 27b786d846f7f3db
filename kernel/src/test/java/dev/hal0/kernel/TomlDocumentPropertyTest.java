package dev.hal0.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.jspecify.annotations.Nullable;

/** The editing side of tomlj is young: random edits of random documents must read back as what was written. */
class TomlDocumentPropertyTest {
    private record Edit(List<String> path, Object value) {}

    @Property(tries = 300)
    void editsOfAnyText_readBackAndLeaveOtherKeysAlone(
            @ForAll("edits") List<Edit> edits, @ForAll boolean windows, @ForAll("edits") List<Edit> start) {
        var document =
                TomlDocument.parse("test.toml", "# head\n\nkept = 0x10 # why\n".replace("\n", windows ? "\r\n" : "\n"));
        for (Edit edit : start) {
            document = applied(document, edit);
        }
        for (Edit edit : edits) {
            var before = document;
            document = applied(document, edit);

            if (document != before) {
                assertThat(document.without(edit.path()).contains(edit.path())).isFalse();
            }
            if (document.contains(List.of("kept"))) {
                assertThat(document.text()).contains("kept = 0x10 # why");
            }
            assertThat(TomlDocument.parse("again", document.text()).values()).isEqualTo(document.values());
            assertThat(document.text().contains("\r")).isEqualTo(windows);
            assertThat(otherTopKeys(document, edit)).isEqualTo(otherTopKeys(before, edit));
        }
    }

    /** An edit whose way is blocked by an earlier value is refused, which must leave the document usable. */
    private static TomlDocument applied(TomlDocument document, Edit edit) {
        try {
            var changed = document.with(edit.path(), edit.value());
            assertThat(valueAt(changed.values(), edit.path())).isEqualTo(edit.value());
            return changed;
        } catch (Hal0Exception blocked) {
            assertThat(blocked.code()).isEqualTo(ErrorCode.CONFIG_INVALID);
            assertThat(blocked.message()).contains("expected a table");
            return document;
        }
    }

    private static Map<String, Object> otherTopKeys(TomlDocument document, Edit edit) {
        var values = document.values();
        values.remove(edit.path().getFirst());
        return values;
    }

    private static @Nullable Object valueAt(Map<?, ?> values, List<String> path) {
        Object first = values.get(path.getFirst());
        return path.size() > 1 && first instanceof Map<?, ?> table
                ? valueAt(table, path.subList(1, path.size()))
                : first;
    }

    @Provide
    Arbitrary<List<Edit>> edits() {
        Arbitrary<String> key = Arbitraries.of("a", "b", "c-d", "x.y", "ä ö", "\"", "", "1");
        return key.list()
                .ofMinSize(1)
                .ofMaxSize(3)
                .flatMap(path -> values().map(value -> new Edit(path, value)))
                .list()
                .ofMaxSize(8);
    }

    private static Arbitrary<Object> values() {
        Arbitrary<String> strings = Arbitraries.strings().ofMaxLength(20).filter(TomlDocumentPropertyTest::isEncodable);
        return Arbitraries.oneOf(
                strings.map(value -> (Object) value),
                Arbitraries.longs().map(value -> (Object) value),
                Arbitraries.of(true, false).map(value -> (Object) value),
                Arbitraries.doubles().map(value -> (Object) value),
                strings.list().ofMaxSize(3).map(value -> (Object) value));
    }

    /** A lone surrogate is no character; UTF-8 files cannot hold it. */
    private static boolean isEncodable(String text) {
        return StandardCharsets.UTF_8.newEncoder().canEncode(text);
    }
}
