package dev.hal0.hardware;

import dev.hal0.kernel.CommandOptions;
import dev.hal0.kernel.Commands;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The seams of {@link Host} on the machine itself. */
final class RealMachine {
    private static final Logger log = LoggerFactory.getLogger(RealMachine.class);

    private RealMachine() {}

    static Optional<String> output(List<String> argv, Duration deadline) {
        try {
            // Tools translate their output; parsing needs the original.
            var options = CommandOptions.within(deadline).withEnvironment("LC_ALL", "C");
            var result = new Commands().run(argv, options);
            if (!result.succeeded()) {
                log.debug("{} exited with {}", argv, result.exitCode());
            }
            return result.succeeded() ? Optional.of(result.stdout()) : Optional.empty();
        } catch (Hal0Exception failure) {
            if (failure.code() == ErrorCode.OPERATION_CANCELLED) {
                throw failure;
            }
            log.debug("{} gave nothing: {}", argv, failure.message());
            return Optional.empty();
        }
    }

    static NodeAccess open(Path node) {
        try (var ignored = FileChannel.open(node, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            return NodeAccess.USABLE;
        } catch (NoSuchFileException absent) {
            return NodeAccess.ABSENT;
        } catch (AccessDeniedException denied) {
            return NodeAccess.DENIED;
        } catch (IOException failure) {
            log.debug("Opening {} failed: {}", node, failure.toString());
            // A container's device rules answer EPERM, which the JDK does not report as access denied.
            return String.valueOf(failure.getMessage()).contains("Operation not permitted")
                    ? NodeAccess.DENIED
                    : NodeAccess.FAILED;
        }
    }
}
