package dev.hal0.starter;

import dev.hal0.kernel.ScratchFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** {@code --host H --port N --alias ID --api-key-file FILE --parallel P}: listens first, then loads. */
public final class StarterMain {
    private StarterMain() {}

    public static void main(String[] arguments) throws IOException {
        // The JDK's server leaves Nagle's algorithm on, which costs 40 ms on small answers.
        System.setProperty("sun.net.httpserver.nodelay", "true");
        Map<String, String> options = parse(arguments);
        Path keyFile = Path.of(require(options, "--api-key-file")).toAbsolutePath();
        String key = Files.readString(keyFile).strip();
        // ONNX Runtime unpacks 20 MB of native code there; beside the key, the folder belongs to this slot alone.
        System.setProperty(
                "java.io.tmpdir",
                ScratchFolder.emptied(keyFile.resolveSibling("tmp")).toString());
        var server = new StarterServer(
                options.getOrDefault("--host", "127.0.0.1"),
                Integer.parseInt(require(options, "--port")),
                require(options, "--alias"),
                key,
                Integer.parseInt(options.getOrDefault("--parallel", "1")));
        long started = System.nanoTime();
        try {
            server.ready(new MiniLm());
        } catch (RuntimeException | LinkageError failure) {
            System.out.println("the model could not be loaded: " + failure);
            System.exit(1);
        }
        System.out.println("all-MiniLM-L6-v2 is loaded after " + (System.nanoTime() - started) / 1_000_000
                + " ms; listening on port " + server.port());
    }

    private static Map<String, String> parse(String[] arguments) {
        var options = new HashMap<String, String>();
        for (int i = 0; i + 1 < arguments.length; i += 2) {
            options.put(arguments[i], arguments[i + 1]);
        }
        return options;
    }

    private static String require(Map<String, String> options, String name) {
        String value = options.get(name);
        if (value == null) {
            System.out.println("missing " + name);
            System.exit(2);
        }
        return String.valueOf(value);
    }
}
