package dev.hal0.runtime.install;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AptSourcesTest {
    @TempDir
    Path apt;

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "deb http://m/debian stable main                                   | http://m/debian",
                "deb https://m/debian/ stable main contrib                         | https://m/debian",
                "deb [arch=amd64 signed-by=/usr/share/a b.gpg] http://m/debian stable main | http://m/debian",
                "'   deb\thttp://m/debian\tstable\tmain # comment'                | http://m/debian",
                "deb http://user:secret@m/debian stable main                       | http://user:secret@m/debian",
                "# deb http://m/debian stable main                                 | ''",
                "deb-src http://m/debian stable main                               | ''",
                "deb http://m/debian-security stable-security main                 | ''",
                "deb http://m/debian ./                                            | ''",
                "deb http://m/debian stable contrib                                | ''",
                "deb file:/srv/debian stable main                                  | ''",
                "deb cdrom:[Debian 13]/ stable main                                | ''",
                "deb mirror+file:/etc/apt/m.list stable main                       | ''",
                "deb http://m/{x} stable main                                      | ''",
                "deb                                                               | ''"
            })
    void oneLineEntry_isReadAsAptReadsIt(String line, String expected) {
        assertThat(String.join(
                        " ", AptSources.lines(line).stream().map(URI::toString).toList()))
                .isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "Types: deb;URIs: http://m/debian;Suites: a a-updates;Components: main      | http://m/debian",
                "types: deb-src deb;uris: http://m/debian/;suites: a;components: main       | http://m/debian",
                "Types: deb;URIs: http://a/debian http://b/debian;Suites: a;Components: main | http://a/debian http://b/debian",
                "Types: deb;URIs:; http://a/debian; http://b/debian;Suites: a;Components: main | http://a/debian http://b/debian",
                "Types: deb;# URIs: http://x/debian;URIs: http://m/debian;Suites: a;Components: main | http://m/debian",
                "Types: deb;URIs: http://m/debian;Suites: a;Components: main;;Types: deb;URIs: http://n/debian;Suites: b;Components: main | http://m/debian http://n/debian",
                "Enabled: no;Types: deb;URIs: http://m/debian;Suites: a;Components: main    | ''",
                "Types: deb-src;URIs: http://m/debian;Suites: a;Components: main            | ''",
                "Types: deb;URIs: http://m/debian-security;Suites: a-security;Components: main | ''",
                "Types: deb;URIs: http://m/flat;Suites: ./                                  | ''",
                "nonsense                                                                   | ''"
            })
    void stanza_isReadAsAptReadsIt(String stanza, String expected) {
        assertThat(String.join(
                        " ",
                        AptSources.stanzas(stanza.replace(';', '\n')).stream()
                                .map(URI::toString)
                                .toList()))
                .isEqualTo(expected);
    }

    @Test
    void folderOfSources_isReadInOrderWithDebianFirst() throws IOException {
        Files.createDirectories(apt.resolve("sources.list.d"));
        Files.writeString(apt.resolve("sources.list"), "deb http://vendor/tool stable main\n");
        Files.writeString(apt.resolve("sources.list.d/a.list"), "deb http://a/debian stable main\n");
        Files.writeString(
                apt.resolve("sources.list.d/b.sources"),
                "Types: deb\nURIs: http://a/debian http://b/debian\nSuites: x\nComponents: main\n");
        Files.writeString(apt.resolve("sources.list.d/c.list.save"), "deb http://c/debian stable main\n");

        assertThat(AptSources.mirrors(apt))
                .isEqualTo(List.of(
                        URI.create("http://a/debian"),
                        URI.create("http://b/debian"),
                        URI.create("http://vendor/tool")));
    }

    @Test
    void machineWithoutApt_hasNoMirrors() {
        assertThat(AptSources.mirrors(apt.resolve("absent"))).isEmpty();
    }
}
