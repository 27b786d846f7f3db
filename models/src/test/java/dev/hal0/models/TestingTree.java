package dev.hal0.models;

import dev.hal0.kernel.DurableFiles;
import dev.hal0.kernel.TomlFile;
import dev.hal0.testing.TestingGguf;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.Locale;

/** Builds, below one folder, what other programs leave on a disk, with generated models in it. */
record TestingTree(Path root) {
    static final Instant NOW = Instant.parse("2026-11-23T12:00:00Z");
    static final String REVISION = "0123456789abcdef0123456789abcdef01234567";

    ModelRegistry registry() {
        return new ModelRegistry(
                new TomlFile(registryFile(), new DurableFiles()), new GgufReader(), InstantSource.fixed(NOW));
    }

    Path registryFile() {
        return root.resolve("registry/registry.toml");
    }

    Path models() {
        return folder("models");
    }

    Path folder(String path) {
        try {
            return Files.createDirectories(root.resolve(path));
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    Path chat(String path) {
        return TestingGguf.chat().withSeed(path.hashCode()).writeTo(root.resolve(path));
    }

    Path file(String path, byte[] content) {
        try {
            Path file = root.resolve(path);
            Files.createDirectories(file.getParent());
            return Files.write(file, content);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    Path file(String path, String content) {
        return file(path, content.getBytes(java.nio.charset.StandardCharsets.UTF_8));
    }

    Path link(String path, Path target) {
        try {
            Path link = root.resolve(path);
            Files.createDirectories(link.getParent());
            return Files.createSymbolicLink(link, target);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    static TestingGguf projector(int fileType) {
        return TestingGguf.chat()
                .withKey("general.architecture", "clip")
                .withKey("general.type", "mmproj")
                .withKey("general.file_type", fileType);
    }

    /** {@code hub/models--org--name/snapshots/REVISION/file}, a relative link to {@code blobs/SHA256}. */
    Path hub(String repository, String revision, String file, byte[] content) {
        String folder = "hub/models--" + repository.replace("/", "--");
        Path blob = file(folder + "/blobs/" + sha256(content), content);
        String place = folder + "/snapshots/" + revision + "/" + file;
        Path holder = folder(place.substring(0, place.lastIndexOf('/')));
        return link(place, holder.relativize(blob));
    }

    /** One part of a split model. */
    Path part(String folder, String stem, int number, int count) {
        return TestingGguf.chat()
                .withSeed(stem.hashCode() + number)
                .withKey("split.no", number - 1)
                .withKey("split.count", count)
                .writeTo(root.resolve(
                        String.format(Locale.ROOT, "%s/%s-%05d-of-%05d.gguf", folder, stem, number, count)));
    }

    /** @param place {@code HOST/NAMESPACE/NAME/TAG} */
    Path ollama(String place, String layers) {
        return file("ollama/manifests/" + place, "{\"schemaVersion\": 2, \"layers\": [" + layers + "]}");
    }

    Path ollamaBlob(byte[] content) {
        return file("ollama/blobs/sha256-" + sha256(content), content);
    }

    static String layer(String type, String digest) {
        return "{\"mediaType\": \"application/vnd.ollama.image." + type + "\", \"digest\": \"sha256:" + digest + "\"}";
    }

    static String sha256(byte[] content) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
