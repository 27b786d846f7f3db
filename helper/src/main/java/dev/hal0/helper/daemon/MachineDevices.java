package dev.hal0.helper.daemon;

import dev.hal0.kernel.DeviceClass;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.SequencedSet;

/**
 * The nodes of a device class on this machine, one by one because podman does not expand a folder, and the numeric groups that
 * may open them: a group's name means nothing inside an image, and its number differs from one machine to the next.
 */
final class MachineDevices {
    /**
     * @param nodes device nodes, or CDI names
     * @param groups numeric
     */
    record Found(List<String> nodes, List<Integer> groups) {}

    private final Path dev;
    private final boolean softwareGpu;

    /** @param softwareGpu whether render nodes may be missing */
    MachineDevices(Path dev, boolean softwareGpu) {
        this.dev = dev;
        this.softwareGpu = softwareGpu;
    }

    /** @throws Hal0Exception {@code slot.device_missing} that names what was looked for */
    Found find(DeviceClass wanted) {
        return switch (wanted) {
            case NONE -> new Found(List.of(), List.of());
            case DRI -> softwareGpu ? found(dri()) : found(atLeastOne(dri(), "dri/renderD*", wanted));
            case KFD -> {
                var nodes = new ArrayList<>(atLeastOne(named("", "kfd"), "kfd", wanted));
                nodes.addAll(atLeastOne(dri(), "dri/renderD*", wanted));
                yield found(nodes);
            }
            case NVIDIA -> {
                List<Path> control = atLeastOne(named("", "nvidiactl"), "nvidiactl", wanted);
                yield new Found(List.of("nvidia.com/gpu=all"), found(control).groups());
            }
            case ACCEL -> {
                var nodes = new ArrayList<>(atLeastOne(named("accel", "accel*"), "accel/accel*", wanted));
                nodes.addAll(dri());
                yield found(nodes);
            }
        };
    }

    private List<Path> dri() {
        List<Path> render = named("dri", "renderD*");
        if (render.isEmpty()) {
            return List.of();
        }
        var nodes = new ArrayList<>(render);
        nodes.addAll(named("dri", "card*"));
        return nodes;
    }

    private List<Path> named(String folder, String pattern) {
        var nodes = new ArrayList<Path>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(dev.resolve(folder), pattern)) {
            entries.forEach(nodes::add);
        } catch (NoSuchFileException | NotDirectoryException none) {
            return List.of();
        } catch (IOException unreadable) {
            throw new Hal0Exception(
                    ErrorCode.SLOT_DEVICE_MISSING, dev.resolve(folder) + " cannot be read: " + unreadable, unreadable);
        }
        nodes.sort(null);
        return nodes;
    }

    private List<Path> atLeastOne(List<Path> nodes, String looked, DeviceClass wanted) {
        if (nodes.isEmpty()) {
            throw new Hal0Exception(
                            ErrorCode.SLOT_DEVICE_MISSING,
                            "This machine has no device for '" + wanted.label() + "': there is no "
                                    + dev.resolve(looked) + ".")
                    .withParam("devices");
        }
        return nodes;
    }

    private static Found found(List<Path> nodes) {
        SequencedSet<Integer> groups = new LinkedHashSet<>();
        for (Path node : nodes) {
            try {
                int group = (Integer) Files.getAttribute(node, "unix:gid");
                if (group != 0) {
                    groups.add(group);
                }
            } catch (IOException gone) {
                throw new Hal0Exception(ErrorCode.SLOT_DEVICE_MISSING, node + " went away.", gone);
            }
        }
        return new Found(nodes.stream().map(Path::toString).toList(), List.copyOf(groups));
    }
}
