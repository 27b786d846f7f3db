package dev.hal0.models;

import dev.hal0.kernel.Hal0Exception;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A model file of whisper.cpp, in the format that ggml had before GGUF: eleven numbers, mel filters, words, tensors. It names no
 * sizes, so whether it is whole shows only at its end; and whisper.cpp takes a file that ends before its first tensor
 * for an empty model and calls itself ready.
 *
 * @param quantization such as {@code F16} or {@code Q5_0}; empty when unknown
 */
record WhisperFile(long sizeBytes, String quantization, boolean multilingual) {
    private static final int MAGIC = 0x67676d6c;
    private static final int PARAMETERS = 11;
    private static final int MULTILINGUAL_TOKENS = 51_865;
    private static final int MOST = 1 << 20;

    /** The file's type of weights also tells, in thousands, by which version of the quantizer they were made. */
    private static final int QUANTIZATION_VERSIONS = 1000;

    static boolean isOne(Path file) {
        // Asked before it is opened: opening a pipe would wait for its writer.
        if (!Files.isRegularFile(file)) {
            return false;
        }
        try (InputStream in = Files.newInputStream(file)) {
            byte[] first = in.readNBytes(4);
            return first.length == 4
                    && ByteBuffer.wrap(first).order(ByteOrder.LITTLE_ENDIAN).getInt() == MAGIC;
        } catch (IOException unreadable) {
            return false;
        }
    }

    /** @throws Hal0Exception {@code model.file_invalid} */
    static WhisperFile read(Path file) {
        try (var cursor = new Cursor(file)) {
            return cursor.read();
        } catch (IOException failure) {
            throw GgufReader.refuse(file.toString(), "unreadable", Disk.described(failure));
        }
    }

    private static final class Cursor implements AutoCloseable {
        private final Path file;
        private final long size;
        private final InputStream in;
        private long position;

        Cursor(Path file) throws IOException {
            this.file = file;
            this.size = Files.size(file);
            this.in = new BufferedInputStream(Files.newInputStream(file), 1 << 16);
        }

        WhisperFile read() throws IOException {
            if (number() != MAGIC) {
                throw refuse("not_gguf", "is no model file of whisper.cpp");
            }
            int[] parameters = new int[PARAMETERS];
            for (int i = 0; i < PARAMETERS; i++) {
                parameters[i] = number();
            }
            // Tokens, then the sizes of two transformers; the last is the type of the weights.
            for (int i = 0; i < PARAMETERS - 1; i++) {
                bounded(parameters[i]);
            }
            skip(4L * bounded(number()) * bounded(number()));
            int words = bounded(number());
            for (int i = 0; i < words; i++) {
                skip(Math.max(0, number()));
            }
            if (position == size) {
                throw refuse("truncated", "ends before its first tensor");
            }
            while (position < size) {
                tensor();
            }
            return new WhisperFile(
                    size,
                    GgmlType.fileTypeName(parameters[PARAMETERS - 1] % QUANTIZATION_VERSIONS),
                    parameters[0] >= MULTILINGUAL_TOKENS);
        }

        private void tensor() throws IOException {
            int dimensions = number();
            int nameLength = number();
            GgmlType type =
                    GgmlType.of(number()).orElseThrow(() -> refuse("malformed", "has a tensor of an unknown type"));
            if (dimensions < 1 || dimensions > 4 || nameLength < 1 || nameLength > 256) {
                throw refuse("malformed", "has a tensor without a sensible shape or name");
            }
            long elements = 1;
            for (int i = 0; i < dimensions; i++) {
                elements = Math.multiplyExact(elements, (long) bounded(number()));
            }
            skip(nameLength);
            skip(type.bytesOf(elements));
        }

        private int bounded(int count) {
            if (count < 1 || count > MOST) {
                throw refuse("malformed", "has the number " + count + " where a size should be");
            }
            return count;
        }

        private int number() throws IOException {
            byte[] four = in.readNBytes(4);
            position += four.length;
            if (four.length < 4) {
                throw refuse("truncated", "ends after " + position + " bytes, in the middle");
            }
            return ByteBuffer.wrap(four).order(ByteOrder.LITTLE_ENDIAN).getInt();
        }

        private void skip(long count) throws IOException {
            if (count > size - position) {
                throw refuse("truncated", "ends after " + size + " bytes, in the middle");
            }
            in.skipNBytes(count);
            position += count;
        }

        private Hal0Exception refuse(String kind, String problem) {
            return GgufReader.refuse(file.toString(), kind, problem);
        }

        @Override
        public void close() throws IOException {
            in.close();
        }
    }
}
