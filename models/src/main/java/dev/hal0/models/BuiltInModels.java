package dev.hal0.models;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The models that come with hal0 itself: in no file, and not to be changed. */
final class BuiltInModels {
    /**
     * The embedding model inside the {@code starter} engine. Its window is 256 word pieces: what its authors trained it for
     * and cut at. Its position table has 512 rows, and LangChain4j feeds it up to 510 pieces at once and averages the
     * vectors of longer texts, so a longer text is no error there, only a worse vector.
     */
    static final RegisteredModel MINI_LM = new RegisteredModel(
            "all-minilm-l6-v2",
            "all-MiniLM-L6-v2",
            Optional.empty(),
            0,
            "bert",
            "int8",
            256,
            false,
            Set.of(ModelCapability.EMBEDDING),
            List.of("starter"),
            Instant.EPOCH,
            true);

    private BuiltInModels() {}

    static List<RegisteredModel> all() {
        return List.of(MINI_LM);
    }

    static Optional<RegisteredModel> find(String id) {
        return all().stream().filter(model -> model.id().equals(id)).findFirst();
    }
}
