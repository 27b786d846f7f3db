package dev.hal0.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.ErrorEnvelope;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.Json;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import tools.jackson.databind.JsonNode;

/** A server by script, and commands from their arguments to their output. */
abstract class CliFixture {
    static final String SLOT = """
            {"name":"chat","type":"llm","state":"ready","model":"qwen","engine":"llama.cpp","port":8081,
             "memory_bytes":1073741824,"message":"","config_dirty":false,"actions":["unload"],"incarnation":null}""";
    static final String MODEL = """
            {"id":"qwen","architecture":"qwen3","quantization":"Q4_K_M","size_bytes":2048,"context_length":4096,
             "capabilities":["chat"],"engines":["llama.cpp"],"path":null,"file_state":"present"}""";

    record Result(int exit, String out, String err) {
        /** The one JSON document on standard output; nothing else may have been said. */
        JsonNode json() {
            assertThat(out).doesNotContain("\u001b");
            assertThat(err).isEmpty();
            return Json.STRICT.readTree(out);
        }

        String code() {
            return json().path("error").path("code").asString("");
        }
    }

    final FakeControlPlane server = new FakeControlPlane();
    final TestingInterrupts interrupts = new TestingInterrupts();
    final Map<String, String> environment = new HashMap<>();
    Terminals terminals = Terminals.NONE;
    boolean colours;
    String input = "";
    Deadlines deadlines = Deadlines.DEFAULT;

    /** Replaced by tests that break the reader's end of a pipe. */
    OutputStream output = new ByteArrayOutputStream();

    @AfterEach
    void stop() {
        server.close();
    }

    /** Runs against the fake server. */
    Result run(String... arguments) {
        environment.putIfAbsent("HAL0_API_URL", server.url());
        return execute(arguments);
    }

    Result runAsJson(String... arguments) {
        var all = new ArrayList<>(List.of(arguments));
        all.add("--json");
        return run(all.toArray(String[]::new));
    }

    /** Runs while the test does something else. */
    CompletableFuture<Result> start(String... arguments) {
        return CompletableFuture.supplyAsync(() -> run(arguments));
    }

    static Result ended(CompletableFuture<Result> run) throws Exception {
        return run.get(20, TimeUnit.SECONDS);
    }

    Result execute(String... arguments) {
        var err = new ByteArrayOutputStream();
        if (output instanceof ByteArrayOutputStream bytes) {
            bytes.reset();
        }
        var console = new Console(
                new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)),
                new PrintStream(output, false, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8),
                terminals,
                colours,
                environment.getOrDefault("HAL0_COMMAND", "hal0"));
        int exit = Main.run(new Surroundings(console, interrupts, environment, deadlines), arguments);
        String out = output instanceof ByteArrayOutputStream bytes ? bytes.toString(StandardCharsets.UTF_8) : "";
        return new Result(exit, out, err.toString(StandardCharsets.UTF_8));
    }

    static Terminals terminal(int columns) {
        return new Terminals(true, true, true, () -> columns);
    }

    static Deadlines impatient() {
        return new Deadlines(Duration.ofSeconds(3), Duration.ofMillis(50), Duration.ofMillis(50));
    }

    static String operation(String status, String message) {
        return "{\"id\":\"op1\",\"status\":\"" + status + "\",\"message\":\"" + message + "\",\"error\":null}";
    }

    static JsonNode envelope(ErrorCode code) {
        return Json.LENIENT.valueToTree(ErrorEnvelope.of(new Hal0Exception(code, "said"), "r1"));
    }
}
