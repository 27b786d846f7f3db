package dev.hal0.testing;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;

/**
 * A whisper model with random weights in the ggml format that the real whisper.cpp loads and runs: for protocol and
 * lifecycle, not for quality. The same seed gives the same bytes on every machine.
 *
 * <p>What it "hears" is made of syllables, so it is readable ASCII; other tokens are out of its reach, except the end of the
 * text, so that every window of 30 seconds ends by itself.
 *
 * @param multilingual whether it takes a language and translates
 * @param layers of the encoder and of the decoder; more make it slower
 */
public record TestingWhisper(boolean multilingual, int layers, long seed) {
    private static final int MAGIC = 0x67676d6c;
    private static final int AUDIO_CONTEXT = 1500;
    private static final int TEXT_CONTEXT = 448;
    private static final int STATE = 64;
    private static final int HEADS = 1;
    private static final int MELS = 80;
    private static final int SPECTRUM = 201;
    private static final int F32 = 0;
    private static final int F16 = 1;

    /** How many tokens it can say. */
    private static final int SPOKEN = 64;

    /** The engine asks for this word by name, to forbid it as the first one. */
    private static final int BLANK = SPOKEN;

    private static final String CONSONANTS = "bdfgklmnprstvz";
    private static final String VOWELS = "aeiou";

    public static TestingWhisper anyLanguage() {
        return new TestingWhisper(true, 1, 1);
    }

    public TestingWhisper withLayers(int count) {
        return new TestingWhisper(multilingual, count, seed);
    }

    /** Tokens in all: the engine tells by this number whether a model is multilingual. */
    private int tokens() {
        return multilingual ? 51_865 : 51_864;
    }

    /** Tokens of text; the next one is the end of the text. */
    private int textTokens() {
        return multilingual ? 50_257 : 50_256;
    }

    public void writeTo(Path file) {
        try (var out = new Output(new BufferedOutputStream(Files.newOutputStream(file), 1 << 16), seed)) {
            out.integers(
                    MAGIC,
                    tokens(),
                    AUDIO_CONTEXT,
                    STATE,
                    HEADS,
                    layers,
                    TEXT_CONTEXT,
                    STATE,
                    HEADS,
                    layers,
                    MELS,
                    F16);
            out.integers(MELS, SPECTRUM);
            for (int mel = 0; mel < MELS; mel++) {
                for (int bin = 0; bin < SPECTRUM; bin++) {
                    out.f32(bin / 2 == mel || bin / 2 == mel + 1 ? 0.02f : 0);
                }
            }
            out.integers(textTokens());
            for (int token = 0; token < textTokens(); token++) {
                byte[] text = word(token).getBytes(StandardCharsets.US_ASCII);
                out.integers(text.length);
                out.bytes(text);
            }
            encoder(out);
            decoder(out);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private static String word(int token) {
        if (token == BLANK) {
            return " ";
        }
        var text = new StringBuilder(" ");
        int rest = token;
        do {
            text.append(CONSONANTS.charAt(rest % CONSONANTS.length()));
            rest /= CONSONANTS.length();
            text.append(VOWELS.charAt(rest % VOWELS.length()));
            rest /= VOWELS.length();
        } while (rest > 0);
        return text.toString();
    }

    private void encoder(Output out) throws IOException {
        out.noise("encoder.positional_embedding", F32, STATE, AUDIO_CONTEXT);
        out.noise("encoder.conv1.weight", F16, 3, MELS, STATE);
        out.constant("encoder.conv1.bias", 0, 1, STATE);
        out.noise("encoder.conv2.weight", F16, 3, STATE, STATE);
        out.constant("encoder.conv2.bias", 0, 1, STATE);
        norm(out, "encoder.ln_post");
        for (int layer = 0; layer < layers; layer++) {
            block(out, "encoder.blocks." + layer);
        }
    }

    /** Its last bias points along the first dimension, in which only the spoken tokens have a share. */
    private void decoder(Output out) throws IOException {
        out.noise("decoder.positional_embedding", F32, STATE, TEXT_CONTEXT);
        out.tensor(
                "decoder.token_embedding.weight",
                F16,
                (row, column) -> column == 0 ? isSpoken((int) row) ? 1 : -1 : 0.3f * out.next(),
                STATE,
                tokens());
        out.constant("decoder.ln.weight", 1, STATE);
        out.tensor("decoder.ln.bias", F32, (row, column) -> column == 0 ? 20 : 0, STATE);
        for (int layer = 0; layer < layers; layer++) {
            String block = "decoder.blocks." + layer;
            block(out, block);
            norm(out, block + ".cross_attn_ln");
            attention(out, block + ".cross_attn");
        }
    }

    private boolean isSpoken(int token) {
        return token < SPOKEN || token == textTokens();
    }

    private static void block(Output out, String name) throws IOException {
        norm(out, name + ".mlp_ln");
        out.noise(name + ".mlp.0.weight", F16, STATE, 4 * STATE);
        out.constant(name + ".mlp.0.bias", 0, 4 * STATE);
        out.noise(name + ".mlp.2.weight", F16, 4 * STATE, STATE);
        out.constant(name + ".mlp.2.bias", 0, STATE);
        norm(out, name + ".attn_ln");
        attention(out, name + ".attn");
    }

    private static void attention(Output out, String name) throws IOException {
        for (String part : new String[] {"query", "key", "value", "out"}) {
            out.noise(name + "." + part + ".weight", F16, STATE, STATE);
            if (!part.equals("key")) {
                out.constant(name + "." + part + ".bias", 0, STATE);
            }
        }
    }

    private static void norm(Output out, String name) throws IOException {
        out.constant(name + ".weight", 1, STATE);
        out.constant(name + ".bias", 0, STATE);
    }

    private interface Weights {
        float at(long row, int column);
    }

    /** Little-endian, with a random generator beside it. */
    private static final class Output implements AutoCloseable {
        private final OutputStream stream;
        private final SplittableRandom random;
        private final ByteBuffer number = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN);

        Output(OutputStream stream, long seed) {
            this.stream = stream;
            this.random = new SplittableRandom(seed);
        }

        float next() {
            return (float) random.nextGaussian();
        }

        void integers(int... values) throws IOException {
            for (int value : values) {
                bytes(number.putInt(0, value).array());
            }
        }

        void bytes(byte[] bytes) throws IOException {
            stream.write(bytes);
        }

        void f32(float value) throws IOException {
            bytes(number.putFloat(0, value).array());
        }

        private void f16(float value) throws IOException {
            short bits = Float.floatToFloat16(value);
            stream.write(bits);
            stream.write(bits >> 8);
        }

        void constant(String name, float value, int... shape) throws IOException {
            tensor(name, F32, (row, column) -> value, shape);
        }

        void noise(String name, int type, int... shape) throws IOException {
            tensor(name, type, (row, column) -> 0.3f * next(), shape);
        }

        /** @param shape the row length first, as the format has it */
        void tensor(String name, int type, Weights weights, int... shape) throws IOException {
            byte[] text = name.getBytes(StandardCharsets.US_ASCII);
            integers(shape.length, text.length, type);
            integers(shape);
            bytes(text);
            long rows = 1;
            for (int i = 1; i < shape.length; i++) {
                rows *= shape[i];
            }
            for (long row = 0; row < rows; row++) {
                for (int column = 0; column < shape[0]; column++) {
                    float value = weights.at(row, column);
                    if (type == F16) {
                        f16(value);
                    } else {
                        f32(value);
                    }
                }
            }
        }

        @Override
        public void close() throws IOException {
            stream.close();
        }
    }
}
