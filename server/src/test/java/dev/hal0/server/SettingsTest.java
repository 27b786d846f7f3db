package dev.hal0.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.TomlDocument;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SettingsTest {
    private static Settings read(String text) {
        return Settings.read(TomlDocument.parse("hal0.toml", text));
    }

    @Test
    void emptyFile_isAllDefaults() {
        Settings settings = read("");
        assertThat(settings.allowedHosts()).isEmpty();
        assertThat(settings.llamaServer()).isEmpty();
        assertThat(settings.mirror()).isEmpty();
        assertThat(settings.maxBodyBytes()).isEqualTo(64L << 20);
        assertThat(settings.streamIdle()).isEqualTo(Duration.ofSeconds(300));
        assertThat(settings.streamTotal()).isEqualTo(Duration.ofSeconds(3600));
        assertThat(settings.slots()).isEqualTo(dev.hal0.slots.SlotPolicy.DEFAULT);
    }

    @Test
    void everyKey_reachesItsSetting() {
        Settings settings = read("""
                [network]
                allowed_hosts = ["box.example"]
                [engines]
                llama_server = "/opt/llama-server"
                mirror = "http://mirror.example/debian"
                [server]
                max_body_mb = 3
                [dispatcher]
                stream_idle_s = 4
                stream_total_s = 5
                unknown_models = "default"
                [image]
                idle_restore_minutes = 12
                [slots]
                port_range_start = 9001
                port_range_end = 9009
                load_timeout_s = 6
                drain_timeout_s = 7
                stop_grace_s = 8
                """);
        assertThat(settings.allowedHosts()).containsExactly("box.example");
        assertThat(settings.llamaServer()).contains("/opt/llama-server");
        assertThat(settings.mirror()).contains("http://mirror.example/debian");
        assertThat(settings.maxBodyBytes()).isEqualTo(3L << 20);
        assertThat(settings.streamIdle()).isEqualTo(Duration.ofSeconds(4));
        assertThat(settings.streamTotal()).isEqualTo(Duration.ofSeconds(5));
        assertThat(settings.unknownModelsToDefault()).isTrue();
        assertThat(settings.slots().limits().imageIdle()).isEqualTo(Duration.ofMinutes(12));
        assertThat(settings.slots().firstPort()).isEqualTo(9001);
        assertThat(settings.slots().lastPort()).isEqualTo(9009);
        assertThat(settings.slots().loadBudget()).isEqualTo(Duration.ofSeconds(6));
        assertThat(settings.slots().drainBudget()).isEqualTo(Duration.ofSeconds(7));
        assertThat(settings.slots().stopGrace()).isEqualTo(Duration.ofSeconds(8));
    }

    @ParameterizedTest
    @CsvSource({
        "'[server]\nmax_body_mb = 0', server.max_body_mb",
        "'[slots]\nport_range_start = 80', slots.port_range_start",
        "'[slots]\nport_range_start = 9000\nport_range_end = 8999', slots.port_range_end",
        "'[slots]\nload_timeout = 5', slots.load_timeout",
        "'[servr]\nmax_body_mb = 1', servr",
    })
    void badKeysAndValues_areRefusedWithTheirPath(String text, String path) {
        assertThatThrownBy(() -> read(text))
                .isInstanceOfSatisfying(
                        Hal0Exception.class,
                        failure -> assertThat(failure.param()).contains(path));
    }

    @Test
    void serveOptions_readFlagsEnvironmentAndRefuseWhatTheyDoNotKnow() {
        ServeOptions options = ServeOptions.parse(
                new String[] {"--port=9000", "--host", "::1"}, Map.of("HAL0_PORT", "1", "HAL0_BIND_HOST", "0.0.0.0"));
        assertThat(options).isEqualTo(new ServeOptions("::1", 9000, false, false));
        assertThat(ServeOptions.parse(new String[0], Map.of("HAL0_PORT", "1")).port())
                .isEqualTo(1);
        for (String[] wrong : new String[][] {{"--prot", "1"}, {"--port"}, {"--port", "x"}, {"--port", "70000"}}) {
            assertThatThrownBy(() -> ServeOptions.parse(wrong, Map.of())).isInstanceOf(IllegalArgumentException.class);
        }
    }
}
