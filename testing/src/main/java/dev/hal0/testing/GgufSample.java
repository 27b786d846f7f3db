package dev.hal0.testing;

import java.nio.file.Path;

/**
 * Writes one generated model from a shell: {@code java dev.hal0.testing.GgufSample chat|tools|embedding|reranking|whisper FILE [layers
 * embedding]}. For trying the product by hand on a machine without a model.
 */
public final class GgufSample {
    private GgufSample() {}

    public static void main(String[] arguments) {
        if (arguments.length != 2 && arguments.length != 4) {
            throw new IllegalArgumentException("chat|tools|embedding|reranking|whisper FILE [layers embedding]");
        }
        if (arguments[0].equals("whisper")) {
            TestingWhisper.anyLanguage().writeTo(Path.of(arguments[1]));
            return;
        }
        var model = switch (arguments[0]) {
            case "chat" -> TestingGguf.chat().endsByItself();
            case "tools" -> TestingGguf.callingTools();
            case "embedding" -> TestingGguf.embedding();
            case "reranking" -> TestingGguf.reranking();
            default -> throw new IllegalArgumentException("not a kind of model: " + arguments[0]);
        };
        if (arguments.length == 4) {
            model = model.withShape(Integer.parseInt(arguments[2]), Integer.parseInt(arguments[3]));
        }
        model.writeTo(Path.of(arguments[1]));
    }
}
