package dev.hal0.server;

import com.fasterxml.jackson.annotation.JsonValue;
import dev.hal0.kernel.DurableFiles;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.Json;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Locale;
import java.util.Optional;
import tools.jackson.core.JacksonException;

/**
 * Which runtime this installation uses. {@code auto} is decided once and written down: a runtime that fails later is an error
 * to show, never a reason to start the same slots somewhere else.
 */
final class RuntimeChoice {
    /** What a person may ask for in {@code [slots] runtime}. */
    enum Wish {
        AUTO,
        PODMAN,
        PROCESS;

        @JsonValue
        String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private record Decision(Wish runtime, Instant decided) {}

    private final Path file;
    private final Path helperSocket;
    private final DurableFiles files;
    private final InstantSource clock;

    /** @param helperSocket there where root installed the helper */
    RuntimeChoice(Path file, Path helperSocket, DurableFiles files, InstantSource clock) {
        this.file = file;
        this.helperSocket = helperSocket;
        this.files = files;
        this.clock = clock;
    }

    /** @return {@link Wish#PODMAN} or {@link Wish#PROCESS} */
    Wish decide(Wish wish) {
        if (wish != Wish.AUTO) {
            return wish;
        }
        return earlier().orElseGet(() -> {
            // Whether root set the border up, and not whether podman works at this moment.
            Wish found = Files.isWritable(helperSocket) ? Wish.PODMAN : Wish.PROCESS;
            files.write(file, Json.PRETTY.writeValueAsString(new Decision(found, clock.instant())) + "\n");
            return found;
        });
    }

    private Optional<Wish> earlier() {
        try {
            return files.read(file)
                    .map(text -> Json.STRICT.readValue(text, Decision.class))
                    .map(Decision::runtime)
                    .filter(runtime -> runtime != Wish.AUTO);
        } catch (JacksonException unreadable) {
            throw new Hal0Exception(
                    ErrorCode.STATE_CORRUPT,
                    file + " cannot be read: " + unreadable.getOriginalMessage()
                            + ". Delete it to have the runtime decided again, or set [slots] runtime in hal0.toml.",
                    unreadable);
        }
    }
}
