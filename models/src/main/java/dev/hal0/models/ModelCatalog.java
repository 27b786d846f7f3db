package dev.hal0.models;

import dev.hal0.kernel.Hal0Exception;
import java.util.List;
import java.util.Optional;

/** Reading side of the registry, for everyone who only needs to know what exists. Thread-safe. */
public interface ModelCatalog {
    /**
     * All entries, by id.
     *
     * @throws Hal0Exception {@code model.registry_unavailable} while the file cannot be parsed: "unreadable" is not "empty"
     */
    List<RegisteredModel> list();

    Optional<RegisteredModel> find(String id);

    /** @throws Hal0Exception {@code model.not_found} naming what exists */
    RegisteredModel require(String id);
}
