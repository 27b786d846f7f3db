package dev.hal0.models;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;
import java.util.Optional;

/**
 * Who put a file where it is, as far as its place tells.
 *
 * @param hfRepo {@code org/name} on the Hugging Face hub
 * @param hfFilename the file's path inside that repository
 * @param revision the commit of that repository
 */
public record ModelSource(Kind kind, Optional<String> hfRepo, Optional<String> hfFilename, Optional<String> revision) {
    public enum Kind {
        /** A folder of files, with no more meaning to it. */
        FOLDER,
        /** {@code models--org--name/snapshots/REVISION/…}, links to blobs. */
        HF_CACHE,
        /** {@code org_name_file.gguf} beside notes of the download. */
        LLAMA_CACHE,
        /** Blobs that manifests give a name. */
        OLLAMA,
        /** {@code publisher/repository/file.gguf} below a folder of LM Studio. */
        LM_STUDIO,
        /** {@code comfyui/models/…} */
        COMFYUI;

        @JsonValue
        public String label() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    static ModelSource of(Kind kind) {
        return new ModelSource(kind, Optional.empty(), Optional.empty(), Optional.empty());
    }

    static ModelSource of(Kind kind, String repo, String file) {
        return new ModelSource(kind, Optional.of(repo), Optional.of(file), Optional.empty());
    }
}
