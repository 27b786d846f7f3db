package dev.hal0.models;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The models that come with hal0 itself: in no file, and not to be changed. */
final class BuiltInModels {
    /**
     * The embedding model inside the {@code starter} engine. Its window is what that engine feeds it at once: 510 word pieces
     * and two marks, as many as its position table has rows. Vectors of longer texts are averages of their parts. Its
     * authors trained it on 256 pieces, so beyond those it is less good, not wrong.
     */
    static final RegisteredModel MINI_LM = new RegisteredModel(
            "all-minilm-l6-v2",
            "all-MiniLM-L6-v2",
            Optional.empty(),
            0,
            "bert",
            "int8",
            512,
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
