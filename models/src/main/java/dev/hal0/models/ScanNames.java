package dev.hal0.models;

import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/** What a scan decides by names alone. Always the name as given: behind a link may be a blob without an ending. */
final class ScanNames {
    static final Set<String> ENDINGS = Set.of(".gguf", ".safetensors");

    /** Parts of image pipelines. Elsewhere these are words that people give to folders of models. */
    private static final Set<String> COMFYUI_PARTS = Set.of(
            "vae",
            "vae_approx",
            "clip",
            "clip_vision",
            "controlnet",
            "embeddings",
            "loras",
            "text_encoders",
            "upscale_models",
            "diffusion_models",
            "voices");

    private static final Set<String> NEVER = Set.of("__pycache__", "comfyui-nodes", "comfyui-user");
    private static final Pattern CHECKSUM = Pattern.compile("[0-9a-f]{32,}", Pattern.CASE_INSENSITIVE);

    private ScanNames() {}

    static String of(Path path) {
        return String.valueOf(path.getFileName());
    }

    static boolean hasEnding(String fileName, String ending) {
        return fileName.toLowerCase(Locale.ROOT).endsWith(ending);
    }

    static boolean isModelName(String fileName, Set<String> endings) {
        return endings.stream().anyMatch(ending -> hasEnding(fileName, ending));
    }

    static boolean isProjectorName(String fileName) {
        return fileName.toLowerCase(Locale.ROOT).contains("mmproj");
    }

    /** The file's name without its last ending. */
    static String stem(String fileName) {
        int dot = fileName.lastIndexOf('.');
        return dot > 0 ? fileName.substring(0, dot) : fileName;
    }

    /** Why a file with a model's ending is none, as far as its name tells. */
    static Optional<String> reasonAgainstFile(String fileName) {
        if (fileName.startsWith(".")) {
            return Optional.of("is hidden");
        }
        if (CHECKSUM.matcher(stem(fileName)).matches()) {
            return Optional.of("is named by a checksum, as the inner files of a cache are");
        }
        return Optional.empty();
    }

    /** Why a folder is not walked; empty reason for one that nobody would miss, such as {@code .git}. */
    static Optional<String> reasonAgainstFolder(Path folder) {
        String name = of(folder);
        if (name.startsWith(".") || NEVER.contains(name)) {
            return Optional.of("");
        }
        Path parent = folder.getParent();
        return COMFYUI_PARTS.contains(name.toLowerCase(Locale.ROOT)) && parent != null && isInComfyUi(parent)
                ? Optional.of("holds parts of ComfyUI pipelines, which are no models of their own")
                : Optional.empty();
    }

    static boolean isInComfyUi(Path path) {
        for (Path part : path) {
            if (part.toString().equalsIgnoreCase("comfyui")) {
                return true;
            }
        }
        return false;
    }
}
