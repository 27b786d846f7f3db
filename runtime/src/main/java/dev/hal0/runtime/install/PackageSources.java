package dev.hal0.runtime.install;

import java.net.URI;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Where packages come from, and the trust in them.
 *
 * @param mirror {@code [engines].mirror}; empty for those of the machine's apt
 * @param aptDirectory {@code /etc/apt}
 * @param bundles holds a folder for each engine with the packages that ship with hal0, named by SHA-256 or as on the
 *     mirror; empty when none ship
 * @param keyring {@code [engines].keyring}: the keys that Debian's index must be signed with; empty for those of the
 *     machine's keyring package
 */
public record PackageSources(Optional<URI> mirror, Path aptDirectory, Optional<Path> bundles, Optional<Path> keyring) {}
