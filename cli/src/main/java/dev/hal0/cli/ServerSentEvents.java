package dev.hal0.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/** The fields of an event stream that hal0 uses: {@code event} and {@code data}. Comments keep the connection alive. */
final class ServerSentEvents {
    private ServerSentEvents() {}

    static void read(InputStream body, Consumer<Api.StreamEvent> consumer) throws IOException {
        var reader = new BufferedReader(new InputStreamReader(body, StandardCharsets.UTF_8));
        String name = "message";
        StringBuilder data = null;
        String line;
        while ((line = reader.readLine()) != null) {
            if (line.isEmpty()) {
                if (data != null) {
                    consumer.accept(new Api.StreamEvent(name, data.toString()));
                }
                name = "message";
                data = null;
            } else if (line.startsWith("data:")) {
                data = data == null ? new StringBuilder() : data.append('\n');
                data.append(value(line, "data:"));
            } else if (line.startsWith("event:")) {
                name = value(line, "event:");
            }
        }
    }

    private static String value(String line, String field) {
        int from = field.length();
        return line.startsWith(" ", from) ? line.substring(from + 1) : line.substring(from);
    }
}
