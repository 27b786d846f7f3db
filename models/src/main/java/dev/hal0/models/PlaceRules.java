package dev.hal0.models;

import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/** What the place of a file tells about where it came from. */
final class PlaceRules {
    private static final String REPOSITORY = "models--";
    private static final Set<String> LM_STUDIO = Set.of(".lmstudio", "lmstudio", "lm-studio", ".lm-studio");
    private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");

    private PlaceRules() {}

    static ModelSource of(Path path) {
        for (int index = 0; index + 3 < path.getNameCount(); index++) {
            String name = path.getName(index).toString();
            if (name.startsWith(REPOSITORY)
                    && path.getName(index + 1).toString().equals("snapshots")) {
                return new ModelSource(
                        ModelSource.Kind.HF_CACHE,
                        Optional.of(repository(name)),
                        Optional.of(path.subpath(index + 3, path.getNameCount()).toString()),
                        Optional.of(path.getName(index + 2).toString()));
            }
        }
        int count = path.getNameCount();
        if (count >= 4 && isBelowLmStudio(path)) {
            return ModelSource.of(
                    ModelSource.Kind.LM_STUDIO,
                    path.getName(count - 3) + "/" + path.getName(count - 2),
                    path.getName(count - 1).toString());
        }
        return ModelSource.of(ScanNames.isInComfyUi(path) ? ModelSource.Kind.COMFYUI : ModelSource.Kind.FOLDER);
    }

    static boolean isHubRepository(String folderName) {
        return folderName.startsWith(REPOSITORY);
    }

    /** {@code models--org--name} is {@code org/name}; a name may contain two dashes, an organisation may not. */
    private static String repository(String folderName) {
        return folderName.substring(REPOSITORY.length()).replaceFirst("--", "/");
    }

    /** Publisher and repository are folders below LM Studio's own folder of models, not that folder itself. */
    private static boolean isBelowLmStudio(Path path) {
        int last = path.getNameCount() - 3;
        for (int index = 0; index < last; index++) {
            if (LM_STUDIO.contains(path.getName(index).toString().toLowerCase(Locale.ROOT))) {
                return true;
            }
        }
        return false;
    }

    /** Caches name large files by their digest. */
    static Optional<String> digestOf(Path path, Path real) {
        String name = ScanNames.of(real);
        boolean blob =
                real.getParent() != null && ScanNames.of(real.getParent()).equals("blobs");
        return blob && !path.equals(real) && SHA256.matcher(name).matches() ? Optional.of(name) : Optional.empty();
    }
}
