package dev.hal0.helper;

import dev.hal0.kernel.DeviceClass;
import dev.hal0.kernel.SlotName;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A container as the control plane wants it, in words that mean something: no unit text and no podman flag can be said in
 * them. It is a wish; {@code PlanCheck} decides on the other side whether root fulfils it. Holds no secret.
 *
 * @param launch random word that names this launch, found again as a label of the container
 * @param planHash of the plan it was made from
 * @param image reference of an image that is already there
 * @param program name of the executable inside the image, without a path
 * @param arguments after the program
 * @param environment on top of the image's own
 * @param port where the engine listens, inside and, on loopback, outside
 * @param files that the engine reads; each below a model root
 * @param keyFile where the engine finds its key inside the container
 * @param outbound whether the container may open connections of its own
 * @param memoryLimitBytes null for none
 */
public record ContainerPlan(
        SlotName slot,
        String launch,
        String planHash,
        String modelId,
        String image,
        String program,
        List<String> arguments,
        Map<String, String> environment,
        int port,
        List<String> files,
        String keyFile,
        DeviceClass devices,
        boolean readOnlyRoot,
        boolean outbound,
        int pidsLimit,
        @Nullable Long memoryLimitBytes) {
    public ContainerPlan {
        for (Object part : new Object[] {slot, launch, planHash, modelId, image, program, keyFile, devices}) {
            Objects.requireNonNull(part, "a plan is complete");
        }
        arguments = List.copyOf(arguments);
        environment = Map.copyOf(environment);
        files = List.copyOf(files);
    }
}
