package dev.hal0.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hal0.cli.FakeControlPlane.Ending;
import dev.hal0.kernel.ErrorCode;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ModelAndEngineCommandsTest extends CliFixture {
    @Test
    void modelCommands_showWhatTheServerSays() {
        server.on("POST /api/models", 201, MODEL);
        server.on("GET /api/models", 200, "[" + MODEL + "]");
        server.on("GET /api/models/qwen", 200, MODEL);
        server.on(
                "DELETE /api/models/qwen?force=true",
                200,
                "{\"id\":\"qwen\",\"restore\":{\"path\":\"/my models/m.gguf\",\"name\":\"It's\"}}");

        assertThat(run("model", "add", "rel.gguf", "--id", "qwen").out())
                .isEqualTo("Added qwen: qwen3 Q4_K_M, 2.0 KiB, context 4096, chat\n"
                        + "Next: hal0 slot load chat --model qwen\n");
        assertThat(server.bodies().getFirst().path("path").asString())
                .isEqualTo(Path.of("rel.gguf").toAbsolutePath().toString());
        assertThat(run("model", "list").out()).isEqualTo("""
                ID    SIZE     ARCHITECTURE  QUANT   CONTEXT  CAN   FILE
                qwen  2.0 KiB  qwen3         Q4_K_M  4096     chat  present
                """);
        assertThat(run("model", "show", "qwen").out())
                .contains("capabilities    chat\n", "engines         llama.cpp\n", "path            -\n");
        assertThat(run("model", "rm", "qwen", "-f").out())
                .isEqualTo(
                        "Forgot qwen. To have it back: hal0 model add '/my models/m.gguf' --id qwen --name 'It'\\''s'\n");
        for (String[] command : List.of(
                new String[] {"model", "add", "x"},
                new String[] {"model", "list"},
                new String[] {"model", "show", "qwen"},
                new String[] {"model", "rm", "qwen", "-f"})) {
            assertThat(runAsJson(command).json().isContainer()).isTrue();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "/a/b.gguf,/a/b.gguf",
        "/a/./x/../größe.gguf,/a/größe.gguf",
        "/../..//b,/b",
        "b c.gguf,CWD/b c.gguf",
        "./x/../b,CWD/b",
        "b/,CWD/b"
    })
    void modelPath_isMadeAbsoluteWithoutAskingTheFileSystem(String given, String absolute) {
        assertThat(ModelCommands.Add.absolute(given))
                .isEqualTo(absolute.replace("CWD", System.getProperty("user.dir")));
    }

    @Test
    void noModels_namesTheNextStep() {
        server.on("GET /api/models", 200, "[]");

        assertThat(run("model", "list").err()).contains("hal0 model add");
    }

    @Test
    void engineList_showsVersionsAndUse() {
        server.on("GET /api/engines", 200, """
                        [{"name":"llama.cpp","installed":true,"version":"1","source":"path","used_by":["chat","b"],
                          "available_version":"2","versions":[{"version":"1","current":true}]},
                         {"name":"starter","installed":false,"version":null,"source":null,"used_by":[]}]""");

        assertThat(run("engine", "list").out()).isEqualTo("""
                NAME       INSTALLED  VERSION          SOURCE  USED BY
                llama.cpp  yes        1 (2 available)  path    chat,b
                starter    no         -                -       -
                """);
        assertThat(runAsJson("engine", "list").json().size()).isEqualTo(2);
    }

    @Test
    void engineInstall_showsProgressThenTheResult() {
        server.onStream(
                "POST /api/engines/llama.cpp/install",
                "event: progress\ndata: {\"message\":\"fetching\"}\n\n"
                        + "event: progress\ndata: {\"message\":\"fetching\"}\n\n"
                        + "event: done\ndata: {\"version\":\"7\",\"source\":\"installed\"}\n\n",
                Ending.PROPER);

        assertThat(run("engine", "install", "llama.cpp"))
                .isEqualTo(new Result(0, "Installed llama.cpp 7 (installed).\n", "  fetching\n"));
        assertThat(runAsJson("engine", "install", "llama.cpp")
                        .json()
                        .path("version")
                        .asString())
                .isEqualTo("7");
    }

    @Test
    void engineInstallThatFails_hasTheServersReason() {
        server.onStream(
                "POST /api/engines/a/install",
                "event: error\ndata: " + envelope(ErrorCode.ENGINE_MIRROR_UNSUITABLE) + "\n\n",
                Ending.PROPER);

        assertThat(run("engine", "install", "a").exit()).isEqualTo(ExitCode.CONFLICT);
        assertThat(runAsJson("engine", "install", "a").code()).isEqualTo("engine.mirror_unsuitable");
    }

    @ParameterizedTest
    @EnumSource(
            value = Ending.class,
            names = {"PROPER", "BROKEN"})
    void engineInstallWhoseStreamEndsTooEarly_isNoSuccess(Ending ending) {
        server.onStream("POST /api/engines/b/install", "event: progress\ndata: {\"message\":\"fetching\"}\n\n", ending);

        Result result = run("engine", "install", "b");

        assertThat(result.exit()).isEqualTo(ExitCode.TIMED_OUT);
        assertThat(result.err()).contains("it may go on", "it resumes");
    }

    @Test
    void engineRemove_takesTheVersionInUseOrTheNamedOne() {
        server.on("GET /api/engines", 200, """
                        [{"name":"llama.cpp","version":"7 of May","versions":[
                          {"version":"b7+1","current":true},{"version":"b6","current":false}]}]""");
        server.on("DELETE /api/engines/llama.cpp/versions/b7%2B1", 200, "{\"deleted\":true}");
        server.on("DELETE /api/engines/llama.cpp/versions/b6", 200, "{\"deleted\":true}");

        assertThat(run("engine", "remove", "llama.cpp", "-f").out())
                .isEqualTo("Removed llama.cpp b7+1. To have it back: hal0 engine install llama.cpp\n");
        assertThat(runAsJson("engine", "remove", "llama.cpp", "b6", "-f")
                        .json()
                        .path("deleted")
                        .asBoolean())
                .isTrue();
        assertThat(run("engine", "remove", "whisper.cpp", "-f").exit()).isEqualTo(ExitCode.NOT_FOUND);
    }
}
