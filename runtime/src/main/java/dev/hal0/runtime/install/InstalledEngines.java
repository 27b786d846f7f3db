package dev.hal0.runtime.install;

import dev.hal0.kernel.*;
import java.net.URI;
import java.nio.file.*;
import java.util.*;
import java.util.function.Consumer;

public final class InstalledEngines implements EnginePrograms {
    private final Optional<Path> llama;
    private final Program starter;

    public InstalledEngines(
            Path root,
            DurableFiles f,
            Optional<Path> llama,
            Optional<URI> m,
            Path apt,
            Map<String, String> env,
            Program starter) {
        this.llama = llama;
        this.starter = starter;
    }

    @Override
    public Optional<Program> find(String e) {
        return e.equals("starter")
                ? Optional.of(starter)
                : llama.map(p -> new Program(List.of(p.toString()), Map.of(), Optional.empty(), "", "config"));
    }

    @Override
    public Program install(String e, Consumer<String> p) {
        return find(e).orElseThrow(() -> new Hal0Exception(ErrorCode.ENGINE_NOT_INSTALLED, "no"));
    }
}
