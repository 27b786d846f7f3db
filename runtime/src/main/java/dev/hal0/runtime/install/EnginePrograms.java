package dev.hal0.runtime.install;

import java.util.Optional;
import java.util.function.Consumer;

/** Finds and fetches the programs of engine families. Thread-safe; calls block. */
public interface EnginePrograms {
    /** The program that a launch would use now; empty when it must be installed first. */
    Optional<Program> find(String engine);

    /**
     * Makes the program available; returns at once if it is.
     *
     * @param progress gets a sentence now and then
     * @throws dev.hal0.kernel.Hal0Exception {@code engine.…} saying what to do instead
     */
    Program install(String engine, Consumer<String> progress);
}
