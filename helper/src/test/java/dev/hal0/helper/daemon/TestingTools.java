package dev.hal0.helper.daemon;

import dev.hal0.kernel.Commands;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;

/**
 * systemctl, podman and nft as shell scripts over files: {@code state} holds the unit's state, {@code calls} what was run,
 * {@code start} what a start does, {@code podman} what podman does before it answers.
 */
record TestingTools(Path folder) {
    private static final String SYSTEMCTL = """
            #!/bin/sh
            cd "$(dirname "$0")" || exit 9
            [ "$1" = show ] || echo "systemctl $*" >>calls
            case $1 in
              show) cat state ;;
              start) . ./start ;;
              stop) [ -e stubborn ] || printf 'LoadState=loaded\\nActiveState=inactive\\nSubState=dead\\nInvocationID=\\n' >state ;;
              kill) [ -e immortal ] || printf 'LoadState=loaded\\nActiveState=failed\\nSubState=failed\\nInvocationID=\\n' >state ;;
              --version) echo "systemd 252 (252)" ;;
            esac
            """;

    private static final String PODMAN = """
            #!/bin/sh
            cd "$(dirname "$0")" || exit 9
            echo "podman $*" >>calls
            [ ! -e podman-frozen ] || { echo "half an answer"; exec sleep 300; }
            case "$1 $2" in
              "image inspect") [ -e image ] && cat image || { echo "Error: $5: image not known" >&2; exit 125; } ;;
              "container inspect") [ -e container ] && cat container || { echo "Error: no such container" >&2; exit 125; } ;;
              "network inspect") [ -e network ] && echo podman1 || { echo "Error: network not found" >&2; exit 1; } ;;
              "network create") touch network; echo hal0-slots ;;
              "images --noheading") printf 'localhost/hal0-toolbox:cpu\\ndocker.io/other:1\\n' ;;
              "--version ") echo "podman version 4.3.1" ;;
            esac
            """;

    static TestingTools in(Path folder) throws IOException {
        var tools = new TestingTools(folder);
        tools.script("systemctl", SYSTEMCTL);
        tools.script("podman", PODMAN);
        tools.script("journalctl", "#!/bin/sh\ncat \"$(dirname \"$0\")/journal\" 2>/dev/null\n");
        tools.write("state", "LoadState=not-found\nActiveState=inactive\nSubState=dead\nInvocationID=\n");
        tools.write("image", "sha256:cafe\n");
        tools.startSucceeds();
        return tools;
    }

    Tools tools(Duration question) {
        return new Tools(
                folder.resolve("systemctl").toString(),
                folder.resolve("podman").toString(),
                "/usr/sbin/nft",
                folder.resolve("journalctl").toString(),
                "/usr/bin/id",
                question,
                new Commands());
    }

    void startSucceeds() {
        write("start", "printf '" + live("1".repeat(32)) + "' >state\n");
    }

    /** @param result systemd's word */
    void startFails(String result, int status, String journal) {
        write("journal", journal + "\n");
        write(
                "start",
                "printf 'LoadState=loaded\\nActiveState=activating\\nSubState=auto-restart\\nResult=" + result
                        + "\\nInvocationID=" + "2".repeat(32) + "\\nExecMainCode=1\\nExecMainStatus=" + status
                        + "\\n' >state\necho 'Job failed.' >&2\nexit 1\n");
    }

    static String live(String invocation) {
        return "LoadState=loaded\\nActiveState=active\\nSubState=running\\nResult=success\\nInvocationID=" + invocation
                + "\\nMainPID=42\\n";
    }

    void state(String text) {
        write("state", text.replace("\\n", "\n"));
    }

    List<String> calls() {
        try {
            return Files.exists(folder.resolve("calls")) ? Files.readAllLines(folder.resolve("calls")) : List.of();
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    void write(String name, String text) {
        try {
            Files.writeString(folder.resolve(name), text);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private void script(String name, String text) throws IOException {
        write(name, text);
        Files.setPosixFilePermissions(folder.resolve(name), PosixFilePermissions.fromString("rwxr-xr-x"));
    }
}
