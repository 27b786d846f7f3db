package dev.hal0.runtime.install;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AptConfigurationTest {
    @TempDir
    Path apt;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Acquire::Check-Valid-Until \"false\";",
                "acquire::check-valid-until no;",
                "Acquire { Check-Valid-Until \"0\"; };",
                "Acquire {\n  http { Proxy \"http://p:1/\"; };\n  Check-Valid-Until \"off\";\n}",
                "APT { Never { \"^a.*{\"; \"b;\"; }; };\nAcquire::Check-Valid-Until \"false\";",
                "/* Acquire::Check-Valid-Until \"true\"; */ Acquire::Check-Valid-Until false; // true",
                "# a comment with \"one quote\nAcquire::Check-Valid-Until \"False\";",
                "Acquire::Check-Valid-Until \"true\";\nAcquire::Check-Valid-Until \"false\";",
                "Acquire::Check-Date \"false\";",
                "Acquire::http::Proxy \"http://p//x\"; Acquire::Check-Valid-Until \"without\";",
            })
    void everyWayToSwitchItOff_isRead(String text) {
        assertThat(parsed(text).checksValidUntil()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "// Acquire::Check-Valid-Until \"false\";",
                "# Acquire::Check-Valid-Until \"false\";",
                "/* Acquire::Check-Valid-Until \"false\"; */",
                "Acquire::Check-Valid-Until \"true\";",
                "Other { Acquire::Check-Valid-Until \"false\"; };",
                "Acquire::Check-Valid-Until \"false\";\n#clear Acquire::Check-Valid-Until;",
                "Message \"Acquire::Check-Valid-Until false;\";",
                "};;{{\" Acquire",
            })
    void anythingElse_leavesItOn(String text) {
        assertThat(parsed(text).checksValidUntil()).isTrue();
    }

    @Test
    void files_areReadInAptsOrder() throws IOException {
        Files.createDirectories(apt.resolve("apt.conf.d"));
        Files.writeString(apt.resolve("apt.conf.d/10first"), "Acquire::Check-Valid-Until \"false\";");
        assertThat(AptConfiguration.read(apt).checksValidUntil()).isFalse();

        Files.writeString(apt.resolve("apt.conf.d/20second.disabled"), "Acquire::Check-Valid-Until \"true\";");
        assertThat(AptConfiguration.read(apt).checksValidUntil()).isFalse();

        Files.writeString(apt.resolve("apt.conf.d/20second.conf"), "Acquire::Check-Valid-Until \"true\";");
        assertThat(AptConfiguration.read(apt).checksValidUntil()).isTrue();

        Files.writeString(apt.resolve("apt.conf"), "Acquire::Check-Valid-Until \"false\";");
        assertThat(AptConfiguration.read(apt).checksValidUntil()).isFalse();
    }

    @Test
    void machineWithoutApt_checks() {
        assertThat(AptConfiguration.read(apt.resolve("absent")).checksValidUntil())
                .isTrue();
    }

    private static AptConfiguration parsed(String text) {
        var values = new HashMap<String, String>();
        AptConfiguration.parse(text, values);
        return new AptConfiguration(values);
    }
}
