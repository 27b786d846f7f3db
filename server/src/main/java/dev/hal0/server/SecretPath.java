package dev.hal0.server;

import dev.hal0.kernel.DurableFiles;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.HexFormat;

/**
 * The path segment below which engines without a key answer. It stays the same for as long as the installation, so that a new
 * control plane reaches the engines of the one before.
 */
final class SecretPath {
    private static final int BYTES = 16;

    private SecretPath() {}

    /** Made at the first call. */
    static String of(Path file, DurableFiles files) {
        return files.read(file).map(String::strip).filter(SecretPath::isWhole).orElseGet(() -> {
            byte[] random = new byte[BYTES];
            new SecureRandom().nextBytes(random);
            String fresh = HexFormat.of().formatHex(random);
            files.write(file, (fresh + "\n").getBytes(StandardCharsets.UTF_8), DurableFiles.PRIVATE);
            return fresh;
        });
    }

    private static boolean isWhole(String text) {
        return text.matches("[0-9a-f]{" + 2 * BYTES + "}");
    }
}
