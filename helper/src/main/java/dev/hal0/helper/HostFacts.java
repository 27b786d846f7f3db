package dev.hal0.helper;

import java.util.List;

/**
 * What this machine's helper can do for its caller.
 *
 * @param podman version
 * @param systemd version
 * @param modelRoots folders that containers may read models from
 */
public record HostFacts(String podman, String systemd, List<String> modelRoots, int firstPort, int lastPort) {
    public HostFacts {
        modelRoots = List.copyOf(modelRoots);
    }
}
