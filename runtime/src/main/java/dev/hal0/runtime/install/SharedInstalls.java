package dev.hal0.runtime.install;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Who asks for an engine while it is being installed waits for that install and hears its progress. */
final class SharedInstalls {
    interface Work {
        Program run(Consumer<String> everybody);
    }

    /** An install under way and who hears of it. */
    private record Running(CompletableFuture<Program> result, List<Consumer<String>> listeners) {
        void say(String sentence) {
            for (Consumer<String> listener : listeners) {
                try {
                    listener.accept(sentence);
                } catch (RuntimeException gone) {
                    log.debug("Nobody hears \"{}\" any more: {}", sentence, gone.toString());
                    listeners.remove(listener);
                }
            }
        }
    }

    private static final Logger log = LoggerFactory.getLogger(SharedInstalls.class);

    private final ConcurrentHashMap<String, Running> running = new ConcurrentHashMap<>();

    Program run(String engine, Consumer<String> progress, Work work) {
        while (true) {
            var mine = new Running(new CompletableFuture<>(), new CopyOnWriteArrayList<>(List.of(progress)));
            Running other = running.putIfAbsent(engine, mine);
            if (other == null) {
                return lead(engine, mine, work);
            }
            other.listeners().add(progress);
            Optional<Program> shared = join(other);
            if (shared.isPresent()) {
                return shared.get();
            }
        }
    }

    private Program lead(String engine, Running mine, Work work) {
        try {
            Program program = work.run(mine::say);
            mine.result().complete(program);
            return program;
        } catch (RuntimeException | Error failure) {
            mine.result().completeExceptionally(failure);
            throw failure;
        } finally {
            running.remove(engine, mine);
        }
    }

    /** Empty when the leader gave up for itself alone: then the caller leads. */
    private static Optional<Program> join(Running other) {
        try {
            return Optional.of(other.result().get());
        } catch (ExecutionException failed) {
            if (failed.getCause() instanceof Hal0Exception failure) {
                if (failure.code() == ErrorCode.OPERATION_CANCELLED) {
                    return Optional.empty();
                }
                throw failure;
            }
            throw new Hal0Exception(
                    ErrorCode.SYSTEM_INTERNAL,
                    "The install that this one waited for broke down: " + failed.getCause(),
                    failed);
        } catch (InterruptedException cancelled) {
            Thread.currentThread().interrupt();
            throw new Hal0Exception(ErrorCode.OPERATION_CANCELLED, "Waiting for the install was cancelled", cancelled);
        }
    }
}
