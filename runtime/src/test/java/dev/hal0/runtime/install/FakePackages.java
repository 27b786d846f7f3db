package dev.hal0.runtime.install;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Random;

/** Packages of an engine that is a shell script. */
final class FakePackages {
    /** Stands in for ld-linux: drops its own two arguments. */
    private static final String LOADER = "#!/bin/sh\nshift 2\nexec \"$@\"\n";

    private FakePackages() {}

    /** With bytes that do not compress, so that a cut answer leaves something to resume. */
    static byte[] library() {
        var noise = new byte[100_000];
        new Random(1).nextBytes(noise);
        return new DebBuilder()
                .folder("./usr/lib/backends")
                .file("./usr/lib/ld.so", 0755, LOADER)
                .bytes("./usr/lib/libnoise.so", noise)
                .link("./usr/lib/libnoise.so.1", "libnoise.so")
                .build();
    }

    /** Knows all flags. */
    static byte[] server(String version) {
        return server(version, String.join(" ", EngineFlags.passed("llama.cpp")));
    }

    static byte[] server(String version, String help) {
        return serverScript("#!/bin/sh\nif [ \"$1\" = --help ]; then echo '" + help + "'; else echo 'version: "
                + version + " (fake)'; fi\n");
    }

    static byte[] serverScript(String script) {
        return new DebBuilder().file("./usr/bin/llama-server", 0755, script).build();
    }

    static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException impossible) {
            throw new AssertionError(impossible);
        }
    }
}
