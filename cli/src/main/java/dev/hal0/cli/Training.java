package dev.hal0.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/**
 * Does what commands do, once, against a server of its own: the run from which the JVM's class cache is made. What is not
 * used here is loaded from the jars each time it is used.
 */
final class Training {
    private static final String SLOTS = """
            [{"name":"chat","type":"llm","state":"ready","model":"a","engine":"llama.cpp","port":8081,
              "memory_bytes":1073741824,"message":"","config_dirty":false,"since":"2026-01-01T00:00:00Z","share":0.5}]""";
    private static final String ANSWER = "data: {\"choices\":[{\"delta\":{\"content\":\"word\"}}],"
            + "\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1},\"timings\":{\"predicted_per_second\":1.5}}\n\n"
            + "data: [DONE]\n\n";

    private Training() {}

    static void run() throws IOException {
        try (var server = new ServerSocket(0, 16, InetAddress.getLoopbackAddress())) {
            Thread.ofPlatform().daemon().start(() -> serve(server));
            var nowhere = new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
            var console = new Console(InputStream.nullInputStream(), nowhere, nowhere, Terminals.NONE, false, "hal0");
            Map<String, String> environment = Map.of("HAL0_API_URL", "http://127.0.0.1:" + server.getLocalPort());
            var surroundings = new Surroundings(console, Interrupts.ofThisProcess(), environment, Deadlines.DEFAULT);
            for (List<String> command : List.of(
                    List.of("slot", "list"),
                    List.of("slot", "list", "--json"),
                    List.of("slot", "show", "chat"),
                    List.of("model", "list"),
                    List.of("engine", "list"),
                    List.of("chat", "hello"),
                    List.of("status", "--api-url", "http://127.0.0.1:1"))) {
                Main.run(surroundings, command.toArray(String[]::new));
            }
        }
        Terminals.ofThisProcess(Map.of("COLUMNS", "80"));
    }

    private static void serve(ServerSocket server) {
        try {
            while (true) {
                try (Socket client = server.accept()) {
                    answer(client);
                }
            }
        } catch (IOException closed) {
            // the training is over
        }
    }

    private static void answer(Socket client) throws IOException {
        var reader = new BufferedReader(new InputStreamReader(client.getInputStream(), StandardCharsets.UTF_8));
        boolean streamed = String.valueOf(reader.readLine()).startsWith("POST");
        int length = 0;
        String line;
        while ((line = reader.readLine()) != null && !line.isEmpty()) {
            if (line.startsWith("Content-Length: ")) {
                length = Integer.parseInt(line.substring("Content-Length: ".length()));
            }
        }
        // Unread bytes at close would reset the connection under the answer.
        for (int i = 0; i < length; i++) {
            reader.read();
        }
        String body = streamed ? ANSWER : SLOTS;
        String chunk = Integer.toHexString(body.length()) + "\r\n" + body + "\r\n0\r\n\r\n";
        String head = streamed
                ? "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                : "HTTP/1.1 200 OK\r\nContent-Length: " + body.length() + "\r\n\r\n";
        client.getOutputStream().write((head + (streamed ? chunk : body)).getBytes(StandardCharsets.UTF_8));
    }
}
