package dev.hal0.runtime.install;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.net.URI;
import java.util.List;

/**
 * @param uris in order of preference
 * @param configured whether they are the person's own setting, for messages
 */
record Mirrors(List<URI> uris, boolean configured) {
    Mirrors {
        uris = List.copyOf(uris);
    }

    static Mirrors of(PackageSources sources) {
        return new Mirrors(
                sources.mirror().map(List::of).orElseGet(() -> AptSources.mirrors(sources.aptDirectory())),
                sources.mirror().isPresent());
    }

    /** @param reason whole sentences */
    Hal0Exception unsuitable(EngineLock lock, String reason) {
        return new Hal0Exception(
                        ErrorCode.ENGINE_MIRROR_UNSUITABLE,
                        "No mirror has the pinned packages of " + lock.engine() + " " + lock.version() + " (Debian "
                                + lock.suite() + "). " + reason + " "
                                + (configured
                                        ? "[engines].mirror names this mirror: set another"
                                        : "Set [engines].mirror to one that has them")
                                + ", or have llama-server on PATH.")
                .withParam("engines.mirror")
                .withDetail("mirrors", uris.stream().map(MirrorHttp::shown).toList());
    }
}
