package dev.hal0.runtime.podman;

import java.util.Locale;
import java.util.Map;

/** Which image a toolbox class means on this machine. Immutable. */
public final class ToolboxImages {
    private static final String VARIABLE = "HAL0_TOOLBOX_IMAGE_";
    private static final String REPOSITORY = "localhost/hal0-toolbox";

    private final Map<String, String> environment;

    /** @param environment of the control plane: {@code HAL0_TOOLBOX_IMAGE_CPU} and its like win */
    public ToolboxImages(Map<String, String> environment) {
        this.environment = Map.copyOf(environment);
    }

    /** @param image a class such as {@code cpu}, or a reference, which stays as it is */
    String reference(String image) {
        if (image.contains("/")) {
            return image;
        }
        String chosen = environment.getOrDefault(VARIABLE + image.toUpperCase(Locale.ROOT), "");
        return chosen.isBlank() ? REPOSITORY + ":" + image : chosen;
    }

    /** What no registry has, because this machine has to make it. */
    static boolean isLocal(String reference) {
        return reference.startsWith("localhost/");
    }
}
