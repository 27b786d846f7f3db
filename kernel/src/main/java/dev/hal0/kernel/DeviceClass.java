package dev.hal0.kernel;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;

/** Which devices of the machine a container gets. Which nodes and groups that means, the root helper finds on the machine. */
public enum DeviceClass {
    NONE,
    /** Render nodes: Vulkan, VA-API. */
    DRI,
    /** Render nodes and the compute device of AMD's driver: ROCm. */
    KFD,
    /** All of NVIDIA's, by CDI name. */
    NVIDIA,
    /** Neural processors below {@code /dev/accel}, and the render nodes. */
    ACCEL;

    @JsonValue
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
