package dev.hal0.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TomlDocumentTest {
    private static final String SAMPLE = """
            # hal0 settings
            # second line

            [server] # trailing
            port = 8_080            # the port
            bind = '127.0.0.1'

            # about models
            [models."qwen3.5-9b"]
            path = "/models/q.gguf"
            flags = [
              "-fa", # flash attention
              # a comment inside
              "on",
            ]
            sampling = { temperature = 0.7, top_k = 0x28 }

            [[peers]]
            name = "a"
            [[peers]]
            name = "b"
            # the end
            """;

    private enum Kind {
        LLM,
        TEXT_EMBED
    }

    private record Model(Path path, int contextSize, Optional<String> note) {}

    private record Slot(
            SlotName name, Kind kind, boolean enabled, Model model, Map<String, Model> others, Optional<Long> port) {}

    private record Limits(int parallel, List<String> extraArgs) {}

    private record Defaulted(String bind, int port, Limits limits, Optional<String> note) {}

    private record Bound(Map<String, Peer> peer) {}

    private record Peer(String host) {}

    @ParameterizedTest
    @ValueSource(strings = {"\n", "\r\n"})
    void untouchedText_isByteIdentical(String lineEnd) {
        String text = SAMPLE.replace("\n", lineEnd);

        assertThat(parse(text).text()).isEqualTo(text);
    }

    @ParameterizedTest
    @ValueSource(strings = {"\n", "\r\n"})
    void edit_changesItsLineOnly(String lineEnd) {
        String text = SAMPLE.replace("\n", lineEnd);

        var edited = parse(text)
                .with(List.of("server", "port"), 9000)
                .with(List.of("models", "qwen3.5-9b", "path"), Path.of("/other.gguf"))
                .with(List.of("models", "qwen3.5-9b", "sampling", "top_k"), 20);

        assertThat(edited.text())
                .isEqualTo(text.replace("8_080 ", "9000 ")
                        .replace("\"/models/q.gguf\"", "\"/other.gguf\"")
                        .replace("0x28", "20"));
    }

    @Test
    void newKeysAndTables_goBesideTheirKind() {
        var edited = parse("a = 1 # one\n\n[x]\ny = 2\n")
                .with(List.of("b"), true)
                .with(List.of("x", "list"), List.of("p", "q"))
                .with(List.of("n", "deep.er", "s"), "v");

        assertThat(edited.text()).isEqualTo("""
                a = 1 # one
                b = true

                [x]
                y = 2
                list = ["p", "q"]

                [n."deep.er"]
                s = "v"
                """);
    }

    @Test
    void sameValueAgain_keepsItsSpelling() {
        var document = parse(SAMPLE);

        assertThat(document.with(List.of("server", "port"), 8080)).isSameAs(document);
        assertThat(document.with(List.of("models", "qwen3.5-9b", "flags"), List.of("-fa", "on")))
                .isSameAs(document);
    }

    @Test
    void removal_takesTheKeyAndLeavesTheRest() {
        var document = parse(SAMPLE);

        assertThat(document.without(List.of("server", "bind")).text())
                .isEqualTo(SAMPLE.replace("bind = '127.0.0.1'\n", ""));
        assertThat(document.without(List.of("server", "absent"))).isSameAs(document);
    }

    @Test
    void comment_isPutAboveItsKey() {
        assertThat(parse("a = 1\n").withComment(List.of("a"), "why", "more").text())
                .isEqualTo("# why\n# more\na = 1\n");
    }

    @Test
    void editThroughAValue_isRefusedWithItsPlace() {
        var failure = failure(() -> parse("a = 1\n").with(List.of("a", "b"), 2));

        assertThat(failure.code()).isEqualTo(ErrorCode.CONFIG_INVALID);
        assertThat(failure.message()).isEqualTo("test.toml:1:1: a: expected a table, found an integer");
    }

    @Test
    void everySyntaxError_isListedInOrderWithItsPlace() {
        var failure = failure(() -> parse("a = \nb = 1\nb = 2\nc = [1,\n"));

        assertThat(failure.code()).isEqualTo(ErrorCode.CONFIG_INVALID);
        assertThat(failure.message().lines())
                .hasSize(3)
                .satisfiesExactly(
                        line -> assertThat(line).startsWith("test.toml:1:5: "),
                        line -> assertThat(line).startsWith("test.toml:3:1: b previously defined"),
                        line -> assertThat(line).startsWith("test.toml:5:1: "));
        assertThat(failure.details().get("errors"))
                .asInstanceOf(InstanceOfAssertFactories.list(Map.class))
                .extracting(error -> error.get("line") + ":" + error.get("column"))
                .containsExactly("1:5", "3:1", "5:1");
    }

    @Test
    void record_isBoundInSnakeCase() {
        var slot = parse("""
                name = "chat"
                kind = "text_embed"
                enabled = true
                [model]
                path = "/m.gguf"
                context_size = 4096
                [others."q.5"]
                path = "/o.gguf"
                context_size = 1
                note = "n"
                """).as(Slot.class);

        assertThat(slot)
                .isEqualTo(new Slot(
                        new SlotName("chat"),
                        Kind.TEXT_EMBED,
                        true,
                        new Model(Path.of("/m.gguf"), 4096, Optional.empty()),
                        Map.of("q.5", new Model(Path.of("/o.gguf"), 1, Optional.of("n"))),
                        Optional.empty()));
    }

    @Test
    void whatTheDocumentLeavesOut_comesFromTheDefaults() {
        var defaults = new Defaulted("127.0.0.1", 8080, new Limits(1, List.of("-x")), Optional.empty());

        assertThat(parse("").as(defaults)).isEqualTo(defaults);
        assertThat(parse("note = 'n'\n[limits]\nparallel = 4\n").as(defaults))
                .isEqualTo(new Defaulted("127.0.0.1", 8080, new Limits(4, List.of("-x")), Optional.of("n")));
        assertThat(parse("limits = { extra_args = [] }\n").as(defaults).limits())
                .isEqualTo(new Limits(1, List.of()));
        assertThat(failure(() -> parse("\n[limits]\nparalel = 4\n").as(defaults))
                        .message())
                .isEqualTo("test.toml:3:1: limits.paralel: unknown key");
        assertThat(failure(() -> parse("\nlimits = 3\n").as(defaults)).message())
                .startsWith("test.toml:2:");
    }

    @Test
    void boundRecord_isWrittenAndReadBack() {
        var model = new Model(Path.of("/m.gguf"), 7, Optional.empty());

        var document = TomlDocument.empty("test.toml").with(List.of("models", "a.b"), model);

        assertThat(document.as(List.of("models", "a.b"), Model.class)).contains(model);
        assertThat(document.as(List.of("models", "other"), Model.class)).isEmpty();
    }

    @Test
    void unknownKeyAndWrongTypes_areAllListedWithTheirPath() {
        var failure = failure(() -> parse("""
                path = 3
                context_siz = 1
                context_size = "x"
                """).as(Model.class));

        assertThat(failure.message().lines())
                .anyMatch(line -> line.startsWith("test.toml:1:8: path: "))
                .contains(
                        "test.toml:2:1: context_siz: unknown key",
                        "test.toml:3:16: context_size: expected an integer, found a string");
    }

    @Test
    void missingComponent_isNamedAtAnyDepth() {
        assertThat(failure(() -> parse("context_size = 1\n").as(Model.class)).param())
                .contains("path");
        assertThat(failure(() -> parse("[peer.a]\nhost = 'h'\n[peer.'b.c']\n").as(Bound.class))
                        .param())
                .contains("peer.\"b.c\".host");
        assertThat(failure(() -> parse("[m]\npath = '/p'\n").as(List.of("m"), Model.class))
                        .param())
                .contains("m.context_size");
    }

    @Test
    void valueThatItsTypeRefuses_isPlaced() {
        record Named(SlotName name) {}

        var failure = failure(() -> parse("\nname = 'Bad Name'\n").as(Named.class));

        assertThat(failure.code()).isEqualTo(ErrorCode.CONFIG_INVALID);
        assertThat(failure.param()).contains("name");
        assertThat(failure.message()).startsWith("test.toml:2:").contains("is not a slot name");
    }

    @Test
    void getters_readByPath() {
        var document = parse(SAMPLE + "x = 1.5\n");

        assertThat(document.string(List.of("server", "bind"))).contains("127.0.0.1");
        assertThat(document.integer(List.of("server", "port"))).contains(8080L);
        assertThat(document.number(List.of("server", "port"))).contains(8080.0);
        assertThat(document.number(List.of("models", "qwen3.5-9b", "sampling", "temperature")))
                .contains(0.7);
        assertThat(document.strings(List.of("models", "qwen3.5-9b", "flags"))).contains(List.of("-fa", "on"));
        assertThat(document.bool(List.of("server", "absent"))).isEmpty();
        assertThat(document.string(List.of("absent", "deep"))).isEmpty();
        assertThat(document.keys(List.of())).containsExactly("server", "models", "peers");
        assertThat(document.keys(List.of("absent"))).isEmpty();
        assertThat(document.contains(List.of("models", "qwen3.5-9b"))).isTrue();
        assertThat(document.positionOf(List.of("server", "port"))).contains(new TomlDocument.Position(5, 1));
        assertThat(document.values()).containsEntry("server", Map.of("port", 8080L, "bind", "127.0.0.1"));
    }

    @Test
    void getterOfAnotherType_saysWhatItFound() {
        var document = parse(SAMPLE);

        assertThat(failure(() -> document.bool(List.of("server", "port"))).message())
                .isEqualTo("test.toml:5:1: server.port: expected a boolean, found an integer");
        assertThat(failure(() -> document.string(List.of("models", "qwen3.5-9b", "path", "x")))
                        .param())
                .contains("models.\"qwen3.5-9b\".path");
        assertThat(failure(() -> parse("a = ['x', 1]").strings(List.of("a"))).message())
                .contains("expected an array of strings");
        assertThat(failure(() -> document.keys(List.of("server", "port"))).message())
                .contains("expected a table");
    }

    @Test
    void unknownKeys_areAllNamedWithPathAndNearMatch() {
        var document = parse("[server]\nprot = 1\nbind = 'x'\nzzzzzz = 2\n");

        var failure = failure(() -> document.requireOnlyKeys(List.of("server"), Set.of("port", "bind")));

        assertThat(failure.code()).isEqualTo(ErrorCode.REQUEST_UNKNOWN_FIELDS);
        assertThat(failure.param()).contains("server.prot");
        assertThat(failure.message())
                .isEqualTo("test.toml:2:1: unknown keys server.prot (did you mean 'port'?), server.zzzzzz;"
                        + " known here: bind, port");
        assertThat(failure.details())
                .containsEntry("unknown_keys", List.of("server.prot", "server.zzzzzz"))
                .containsEntry("known_keys", List.of("bind", "port"));
        document.requireOnlyKeys(List.of("server"), Set.of("prot", "bind", "zzzzzz", "more"));
        document.requireOnlyKeys(List.of("absent"), Set.of());
    }

    @Test
    void callersOwnCheck_isPlacedLikeTheParsers() {
        assertThat(parse("\na = 1\n").fault(List.of("a"), "must be even").message())
                .isEqualTo("test.toml:2:1: a: must be even");
    }

    private static TomlDocument parse(String text) {
        return TomlDocument.parse("test.toml", text);
    }

    private static Hal0Exception failure(ThrowingCallable call) {
        return catchThrowableOfType(Hal0Exception.class, call);
    }
}
