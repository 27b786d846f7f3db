package dev.hal0.runtime.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.hal0.slots.Incarnation;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ProcessIdentityTest {
    private static final String AFTER_NAME =
            " S 1 40 41 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 10 20 18446744073709551615";

    @ParameterizedTest
    @ValueSource(strings = {"llama-server", "a) b (c", ") Z 1 1 1", "((", "))", "", " ", "a\nb", "x) R 2 (y"})
    void hostileName_movesNoField(String name) {
        assertThat(ProcessIdentity.parseStat("42 (" + name + ")" + AFTER_NAME))
                .isEqualTo(new ProcessIdentity.Status('S', 41, 987654));
    }

    @ParameterizedTest
    @ValueSource(chars = {'Z', 'X', 'x'})
    void remains_areDead(char state) {
        assertThat(new ProcessIdentity.Status(state, 1, 1).isDead()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(chars = {'R', 'S', 'D', 'T', 't', 'I'})
    void stoppedAndSleeping_areAlive(char state) {
        assertThat(new ProcessIdentity.Status(state, 1, 1).isDead()).isFalse();
    }

    @Test
    void incarnation_isReadBack() {
        var identity = new ProcessIdentity("0a-1b", 12, 34);

        assertThat(ProcessIdentity.parse(identity.incarnation())).isEqualTo(identity);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a:1", "a:1:2:3", "a:x:2"})
    void foreignIncarnation_isRefused(String text) {
        assertThatThrownBy(() -> ProcessIdentity.parse(new Incarnation(text)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void thisProcess_isAliveOnlyWithItsTicksAndItsBoot() {
        String boot = ProcessIdentity.currentBootId();
        ProcessIdentity own =
                ProcessIdentity.of(boot, ProcessHandle.current().pid()).orElseThrow();

        assertThat(own.isAlive(boot)).isTrue();
        assertThat(own.isAlive("another")).isFalse();
        assertThat(new ProcessIdentity(boot, own.pid(), own.startTicks() + 1).isAlive(boot))
                .isFalse();
    }

    @Test
    void environmentEntry_matchesOnlyWhole() {
        byte[] environment = bytes("A=1\0HAL0_LAUNCH_NONCE=abc\0B=2\0");

        assertThat(ProcessScan.contains(environment, bytes("HAL0_LAUNCH_NONCE=abc")))
                .isTrue();
        assertThat(ProcessScan.contains(environment, bytes("HAL0_LAUNCH_NONCE=ab")))
                .isFalse();
        assertThat(ProcessScan.contains(environment, bytes("LAUNCH_NONCE=abc"))).isFalse();
        assertThat(ProcessScan.contains(bytes("X=HAL0_LAUNCH_NONCE=abc\0"), bytes("HAL0_LAUNCH_NONCE=abc")))
                .isFalse();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
