package dev.hal0.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OriginGuardTest {
    private final OriginGuard guard = new OriginGuard(List.of("ai.example.org", "ui.example.org"), "mybox");

    @ParameterizedTest
    @CsvSource(
            nullValues = "-",
            value = {
                "127.0.0.1:8080, -, -",
                "[::1]:8080, -, -",
                "localhost, -, -",
                "LOCALHOST:8080, http://localhost:8080, -",
                "mybox.local:8080, http://mybox.local:8080, -",
                "mybox:8080, -, -",
                "host.docker.internal:8080, -, -",
                "ai.example.org, https://ai.example.org, -",
                "192.168.1.5:8080, https://ui.example.org, -",
                "rebound.example.com:8080, -, request.host_refused",
                "127.0.0.1.example.com, -, request.host_refused",
                "-, -, request.host_refused",
                "127.0.0.1:8080, http://evil.example, request.origin_refused",
                "127.0.0.1:8080, http://127.0.0.1:3000, request.origin_refused",
                "localhost:8080, null, request.origin_refused",
                "localhost:8080, http://localhost:8080.evil.example, request.origin_refused",
                "localhost:8080, http://[, request.origin_refused",
            })
    void hostAndOrigin_passOrAreRefusedWithTheirCode(
            @Nullable String host, @Nullable String origin, @Nullable String refusal) {
        Optional<String> code =
                guard.refuse(host, origin).map(Hal0Exception::code).map(ErrorCode::code);
        assertThat(code).isEqualTo(Optional.ofNullable(refusal));
    }
}
