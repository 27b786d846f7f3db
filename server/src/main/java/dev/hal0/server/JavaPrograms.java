package dev.hal0.server;

import dev.hal0.kernel.HomeDirectory;
import dev.hal0.runtime.install.Program;
import dev.hal0.runtime.process.LogWriter;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The commands of our own processes that are not the control plane, started with the same JDK. The starter's class path comes
 * from the launcher: its native libraries must not be on the control plane's.
 *
 * @param starterClassPath jars of the starter engine
 */
record JavaPrograms(String java, String starterClassPath) {
    private static final String STARTER_CLASS_PATH = "hal0.starter.class-path";

    static JavaPrograms ofThisProcess() {
        return new JavaPrograms(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                System.getProperty(STARTER_CLASS_PATH, ""));
    }

    /** As small as a JVM gets: it copies bytes, and there is one behind every engine. */
    List<String> logWriter() {
        return List.of(
                java,
                "-Xmx8m",
                "-Xss256k",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-XX:-UsePerfData",
                "-XX:ReservedCodeCacheSize=4m",
                "-XX:MaxMetaspaceSize=24m",
                "-cp",
                codeOf(LogWriter.class),
                LogWriter.class.getName());
    }

    Program starter(HomeDirectory home) {
        var command = new ArrayList<>(List.of(
                java,
                "-XX:+UseSerialGC",
                "-XX:+UseCompactObjectHeaders",
                "-Xmx256m",
                "-XX:-UsePerfData",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                starterClassPath,
                "dev.hal0.starter.StarterMain"));
        return new Program(
                command,
                Map.of("DJL_CACHE_DIR", home.state().resolve("starter").toString()),
                Optional.empty(),
                Version.current(),
                "built-in");
    }

    private static String codeOf(Class<?> type) {
        try {
            return Path.of(type.getProtectionDomain()
                            .getCodeSource()
                            .getLocation()
                            .toURI())
                    .toString();
        } catch (URISyntaxException impossible) {
            throw new IllegalStateException("a class path entry has no path", impossible);
        }
    }
}
