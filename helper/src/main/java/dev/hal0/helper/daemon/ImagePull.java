package dev.hal0.helper.daemon;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** {@code podman pull} with its words passed on. What it had fetched when it was ended, podman keeps for the next time. */
final class ImagePull {
    private static final Duration LONGEST = Duration.ofHours(12);
    private static final int KEPT_WORDS = 20;

    private final String podman;

    ImagePull(String podman) {
        this.podman = podman;
    }

    void run(String reference, Consumer<String> progress) {
        var builder = new ProcessBuilder(List.of(podman, "pull", "--", reference))
                .redirectErrorStream(true)
                .redirectInput(new File("/dev/null"));
        builder.environment().keySet().retainAll(List.of("PATH", "LANG", "HOME"));
        var words = new ArrayDeque<String>();
        Process process = start(builder);
        Thread reader = Thread.ofVirtual().start(() -> pass(process, words, progress));
        try {
            if (!process.waitFor(LONGEST.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new Hal0Exception(ErrorCode.RUNTIME_STUCK, "podman did not fetch " + reference + " in a day.");
            }
            reader.join(Duration.ofSeconds(1));
            if (process.exitValue() != 0) {
                throw new Hal0Exception(
                                ErrorCode.SLOT_IMAGE_MISSING,
                                "podman could not fetch " + reference + ": " + last(words))
                        .withDetail("image", reference);
            }
        } catch (InterruptedException cancelled) {
            Thread.currentThread().interrupt();
            throw new Hal0Exception(
                    ErrorCode.OPERATION_CANCELLED, "Fetching " + reference + " was given up.", cancelled);
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
    }

    private static Process start(ProcessBuilder builder) {
        try {
            return builder.start();
        } catch (IOException failure) {
            throw new Hal0Exception(
                    ErrorCode.RUNTIME_UNAVAILABLE, "podman cannot be started: " + failure.getMessage(), failure);
        }
    }

    private static void pass(Process process, ArrayDeque<String> words, Consumer<String> progress) {
        try (BufferedReader output = process.inputReader(StandardCharsets.UTF_8)) {
            String line;
            while ((line = output.readLine()) != null) {
                synchronized (words) {
                    words.addLast(line);
                    if (words.size() > KEPT_WORDS) {
                        words.removeFirst();
                    }
                }
                progress.accept(line);
            }
        } catch (IOException ended) {
            // The status says how it went.
        }
    }

    private static String last(ArrayDeque<String> words) {
        synchronized (words) {
            return words.isEmpty() ? "it said nothing" : words.getLast();
        }
    }
}
