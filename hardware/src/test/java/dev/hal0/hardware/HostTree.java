package dev.hal0.hardware;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** A machine's folder that one test changes. */
record HostTree(Path root) {
    static HostTree copyOf(String name, Path target) {
        Path source = Hosts.folder(name);
        try (Stream<Path> paths = Files.walk(source)) {
            for (Path path : paths.toList()) {
                Path copy = target.resolve(source.relativize(path).toString());
                if (Files.isDirectory(path)) {
                    Files.createDirectories(copy);
                } else {
                    Files.copy(path, copy);
                }
            }
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
        return new HostTree(target);
    }

    HostTree file(String path, String content) {
        try {
            Path file = root.resolve(path);
            Files.createDirectories(file.getParent());
            Files.writeString(file, content);
            return this;
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    HostTree without(String path) {
        try {
            Files.delete(root.resolve(path));
            return this;
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    Host host() {
        return Host.fixture(root);
    }

    HardwareReport report() {
        return Hosts.probe().run(host());
    }
}
