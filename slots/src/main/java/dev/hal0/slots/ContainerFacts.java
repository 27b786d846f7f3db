package dev.hal0.slots;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.hal0.kernel.DeviceClass;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a workload needs where it runs in a container; the engine and its profile know it, the runtime acts on it.
 *
 * @param image a toolbox class such as {@code cpu}, or an image reference
 * @param addressFlag the flag whose value is the address the engine listens on: inside its own network it has to be all of
 *     them
 * @param readOnlyRoot whether the engine works without writing outside {@code /tmp}
 * @param outbound whether it may open connections of its own; an engine that only answers must not
 * @param pidsLimit processes and threads, at least 1
 * @param memoryLimitBytes null for none
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record ContainerFacts(
        String image,
        DeviceClass devices,
        String addressFlag,
        boolean readOnlyRoot,
        boolean outbound,
        int pidsLimit,
        @Nullable Long memoryLimitBytes) {
    /** Enough for an engine's threads on any machine, too few for a fork bomb. */
    public static final int DEFAULT_PIDS = 2048;

    public ContainerFacts {
        Objects.requireNonNull(image);
        Objects.requireNonNull(devices);
        Objects.requireNonNull(addressFlag);
    }

    /** Answers only, reads only. */
    public static ContainerFacts sealed(String image, DeviceClass devices, String addressFlag) {
        return new ContainerFacts(image, devices, addressFlag, true, false, DEFAULT_PIDS, null);
    }
}
