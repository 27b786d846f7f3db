package dev.hal0.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hal0.kernel.Hal0Exception;
import java.util.List;
import java.util.stream.Collectors;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

class CommandTextPropertyTest {
    @Property
    void singleQuotedWords_comeBack(@ForAll List<String> words) {
        assertThat(CommandText.split(
                        "flags",
                        words.stream()
                                .map(word -> "'" + word.replace("'", "'\"'\"'") + "'")
                                .collect(Collectors.joining(" "))))
                .isEqualTo(words);
    }

    @Property
    void doubleQuotedWords_comeBack(@ForAll List<String> words) {
        assertThat(CommandText.split(
                        "flags",
                        words.stream()
                                .map(word -> '"' + word.replace("\\", "\\\\").replace("\"", "\\\"") + '"')
                                .collect(Collectors.joining("\t\n "))))
                .isEqualTo(words);
    }

    @Property
    void escapedCharacters_comeBack(@ForAll List<String> words) {
        List<String> someWords = words.stream().filter(word -> !word.isEmpty()).toList();

        assertThat(CommandText.split(
                        "flags",
                        someWords.stream()
                                .map(word -> word.replaceAll("(?s)(.)", "\\\\$1"))
                                .collect(Collectors.joining(" "))))
                .isEqualTo(someWords);
    }

    @Property
    void anyText_isSplitOrRefused(@ForAll String text) {
        try {
            assertThat(CommandText.split("server.extra_args", text)).doesNotContainNull();
        } catch (Hal0Exception refused) {
            assertThat(refused.param()).contains("server.extra_args");
        }
    }
}
