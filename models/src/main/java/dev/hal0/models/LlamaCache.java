package dev.hal0.models;

import dev.hal0.kernel.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/**
 * The download cache of llama.cpp: flat, a file named {@code org_name_file.gguf}, beside it the {@code .etag} of its
 * download or, from older versions, a {@code .json} with the address, and {@code manifest=org=name=tag.json} for a
 * repository. Since underscores are also in names, only these notes tell where the name ends and the file begins; without
 * them the usual end of a repository's name, {@code GGUF}, does.
 *
 * <p>For one scan; not thread-safe.
 */
final class LlamaCache {
    private static final int LARGEST_NOTE = 1 << 20;
    private static final Pattern ADDRESS = Pattern.compile("/([^/]+/[^/]+)/resolve/([^/]+)/([^?#]+)");
    private static final Pattern FLAT = Pattern.compile("([^_]+)_(.+?[-_.]gguf)_(.+)", Pattern.CASE_INSENSITIVE);

    /** By folder, what its manifests say: the flat name of a file, and its source. */
    private final Map<Path, Map<String, ModelSource>> manifests = new HashMap<>();

    /** Empty where nothing beside the file speaks of a download by llama.cpp. */
    Optional<ModelSource> sourceOf(Path file, Set<Path> neighbours) {
        String name = ScanNames.of(file);
        Path folder = file.getParent();
        if (folder == null) {
            return Optional.empty();
        }
        ModelSource listed =
                manifests.computeIfAbsent(folder, ignored -> listed(neighbours)).get(name);
        if (listed != null) {
            return Optional.of(listed);
        }
        Path note = file.resolveSibling(name + ".json");
        if (neighbours.contains(note)) {
            Optional<ModelSource> noted =
                    read(note).flatMap(json -> ofAddress(json.path("url").asString("")));
            if (noted.isPresent()) {
                return noted;
            }
        }
        if (!neighbours.contains(file.resolveSibling(name + ".etag"))) {
            return Optional.empty();
        }
        var flat = FLAT.matcher(name);
        return Optional.of(
                flat.matches()
                        ? ModelSource.of(
                                ModelSource.Kind.LLAMA_CACHE, flat.group(1) + "/" + flat.group(2), flat.group(3))
                        : ModelSource.of(ModelSource.Kind.LLAMA_CACHE));
    }

    private static Optional<ModelSource> ofAddress(String url) {
        var address = ADDRESS.matcher(url);
        return address.find()
                ? Optional.of(ModelSource.of(ModelSource.Kind.LLAMA_CACHE, address.group(1), address.group(3)))
                : Optional.empty();
    }

    private static Map<String, ModelSource> listed(Set<Path> neighbours) {
        var listed = new HashMap<String, ModelSource>();
        for (Path note : neighbours) {
            String[] parts = ScanNames.of(note).split("=", -1);
            if (parts.length == 4 && parts[0].equals("manifest") && parts[3].endsWith(".json")) {
                String repository = parts[1] + "/" + parts[2];
                read(note).ifPresent(json -> {
                    for (String role : List.of("ggufFile", "mmprojFile")) {
                        String file = json.path(role).path("rfilename").asString("");
                        if (!file.isEmpty()) {
                            listed.put(
                                    (repository + "_" + file).replace('/', '_'),
                                    ModelSource.of(ModelSource.Kind.LLAMA_CACHE, repository, file));
                        }
                    }
                });
            }
        }
        return listed;
    }

    /** Empty for a note that is too large or no JSON: it only helps. */
    private static Optional<JsonNode> read(Path note) {
        try {
            return Files.isRegularFile(note) && Files.size(note) <= LARGEST_NOTE
                    ? Optional.of(Json.LENIENT.readTree(Files.readString(note)))
                    : Optional.empty();
        } catch (IOException | JacksonException useless) {
            return Optional.empty();
        }
    }
}
