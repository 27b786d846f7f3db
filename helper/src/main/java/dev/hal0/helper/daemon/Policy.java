package dev.hal0.helper.daemon;

import dev.hal0.kernel.DurableFiles;
import dev.hal0.kernel.TomlDocument;
import dev.hal0.kernel.TomlFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * What root lets the control plane do: {@code /etc/hal0/helper.toml}. Every key has a default, and the defaults are what an
 * appliance needs.
 *
 * @param user the only caller
 * @param images repositories; one that ends in {@code /} stands for everything below it
 * @param programs executables inside images, by name
 * @param modelRoots folders that containers may read, at the same path
 * @param stateRoot of the control plane: says where key files appear inside containers
 * @param devices classes that containers may have
 * @param outbound whether a container may be allowed to open connections of its own
 * @param softwareGpu whether a plan for render nodes is started on a machine without any
 */
record Policy(
        String user,
        List<String> images,
        List<String> programs,
        List<Path> modelRoots,
        Path stateRoot,
        List<String> devices,
        int firstPort,
        int lastPort,
        boolean outbound,
        boolean softwareGpu) {
    static final Path FILE = Path.of("/etc/hal0/helper.toml");

    static final Policy DEFAULT = new Policy(
            "hal0",
            List.of("localhost/hal0-toolbox"),
            List.of("llama-server", "whisper-server"),
            List.of(Path.of("/var/lib/hal0/models")),
            Path.of("/var/lib/hal0"),
            List.of("none", "dri", "kfd", "nvidia", "accel"),
            8081,
            8200,
            false,
            false);

    /**
     * @param trust says whose file is believed
     * @throws dev.hal0.kernel.Hal0Exception {@code config.invalid} with line and key, also for one that others could write
     */
    static Policy read(Path file, TrustedPath trust) {
        if (!Files.exists(file, java.nio.file.LinkOption.NOFOLLOW_LINKS)) {
            return DEFAULT;
        }
        trust.requireOwned(file);
        return new TomlFile(file, new DurableFiles())
                .read()
                .orElseGet(() -> TomlDocument.empty(file.toString()))
                .as(DEFAULT);
    }

    boolean allowsImage(String reference) {
        return images.stream()
                .anyMatch(allowed -> allowed.endsWith("/")
                        ? reference.startsWith(allowed)
                        : reference.equals(allowed)
                                || reference.startsWith(allowed + ":")
                                || reference.startsWith(allowed + "@"));
    }
}
