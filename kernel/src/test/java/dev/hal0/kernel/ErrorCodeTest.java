package dev.hal0.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ErrorCodeTest {
    @Test
    void codes_areUnique() {
        assertThat(Arrays.stream(ErrorCode.values()).map(ErrorCode::code)).doesNotHaveDuplicates();
    }

    @ParameterizedTest
    @EnumSource
    void everyEntry_isADottedNameWithAnErrorStatus(ErrorCode code) {
        assertThat(code.code()).matches("[a-z]+\\.[a-z_]+");
        assertThat(code.status()).isBetween(400, 599);
        assertThat(ErrorCode.of(code.code())).contains(code);
    }

    @ParameterizedTest
    @EnumSource
    void everyRemedy_isASentence(ErrorCode code) {
        assertThat(code.remedy()).matches("(?s)\\p{Lu}.*[^.]\\.").doesNotContain("  ");
        assertThat(code.remedy().split(" ")).hasSizeGreaterThan(2);
    }

    @Test
    void unknownCode_isEmpty() {
        assertThat(ErrorCode.of("no.such_code")).isEmpty();
    }
}
