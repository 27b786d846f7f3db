package dev.hal0.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SlotNameTest {
    @ParameterizedTest
    @ValueSource(strings = {"chat", "0", "a-b_c", "a2345678901234567890123456789012"})
    void nameOfTheGrammar_isKept(String name) {
        assertThat(new SlotName(name)).hasToString(name);
        assertThat(SlotName.isValid(name)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "-a",
                "_a",
                "Chat",
                "a b",
                "a/b",
                "..",
                "a.b",
                "a\n",
                "ä",
                "a23456789012345678901234567890123"
            })
    void otherName_isRefusedWithParam(String name) {
        assertThat(SlotName.isValid(name)).isFalse();
        assertThatThrownBy(() -> new SlotName(name)).isInstanceOfSatisfying(Hal0Exception.class, failure -> {
            assertThat(failure.code()).isEqualTo(ErrorCode.SLOT_CONFIG_ERROR);
            assertThat(failure.param()).contains("name");
        });
    }

    /** A name becomes a file stem and a unit instance: whatever is accepted must stay inside its folder. */
    @Property
    void acceptedName_isOnePathSegment(@ForAll String candidate) {
        if (SlotName.isValid(candidate)) {
            assertThat(Path.of("/slots").resolve(candidate).normalize().getParent())
                    .hasToString("/slots");
        }
    }

    @Test
    void json_isThePlainString() {
        assertThat(Json.STRICT.writeValueAsString(new SlotName("chat"))).isEqualTo("\"chat\"");
        assertThat(Json.STRICT.readValue("\"chat\"", SlotName.class)).isEqualTo(new SlotName("chat"));
    }
}
