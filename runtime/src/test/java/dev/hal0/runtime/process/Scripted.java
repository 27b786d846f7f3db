package dev.hal0.runtime.process;

import dev.hal0.kernel.DurableFiles;
import dev.hal0.kernel.SlotName;
import dev.hal0.runtime.install.EnginePrograms;
import dev.hal0.runtime.install.Program;
import dev.hal0.slots.LaunchPlan;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** Engines that are shell scripts, and the plans that start them. */
final class Scripted implements EnginePrograms {
    static final SlotName SLOT = new SlotName("chat");

    private final Optional<Program> program;

    private Scripted(Optional<Program> program) {
        this.program = program;
    }

    static Scripted shell(String script) {
        return command(List.of("/bin/sh", "-c", script), Map.of());
    }

    static Scripted command(List<String> command, Map<String, String> environment) {
        return new Scripted(Optional.of(new Program(command, environment, Optional.empty(), "1", "test")));
    }

    static Scripted absent() {
        return new Scripted(Optional.empty());
    }

    @Override
    public Optional<Program> find(String engine) {
        return program;
    }

    @Override
    public Program install(String engine, Consumer<String> progress) {
        throw new UnsupportedOperationException("tests install nothing");
    }

    ProcessRuntime runtime(Path home, Map<String, String> ownEnvironment) {
        return new ProcessRuntime(home.resolve("states"), new DurableFiles(), this, logWriter(), ownEnvironment);
    }

    static List<String> logWriter() {
        return List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx16m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                Path.of("target", "classes").toAbsolutePath().toString(),
                LogWriter.class.getName());
    }

    static LaunchPlan plan(Path home, int port, Map<String, String> environment) {
        return new LaunchPlan(
                SLOT,
                "llama.cpp",
                "llama-server",
                List.of(),
                environment,
                List.of(),
                home.resolve("states").resolve("chat").resolve("engine.key"),
                "model",
                "127.0.0.1",
                port,
                1,
                Map.of());
    }

    static int freePort() {
        try (var socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
    }
}
