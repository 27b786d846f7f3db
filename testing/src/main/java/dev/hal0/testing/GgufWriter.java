package dev.hal0.testing;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongUnaryOperator;

/**
 * Writes GGUF files, well-formed ones and (by {@link Raw} values, foreign versions and byte orders) others. Weights are
 * computed row by row while writing, so a model of any size needs no memory.
 */
public final class GgufWriter {
    static final int ALIGNMENT = 32;

    /**
     * How a tensor is stored; rows must be a multiple of 32 long, of {@link #Q4_K} 256. The four-bit types have a length but
     * no encoder: only {@link #writeHollow} takes them.
     */
    public enum TensorType {
        F32(0, 1, 4),
        F16(1, 1, 2),
        Q4_0(2, 32, 18),
        Q8_0(8, 32, 34),
        Q4_K(12, 256, 144);

        private final int id;
        private final int block;
        private final int bytes;

        TensorType(int id, int block, int bytes) {
            this.id = id;
            this.block = block;
            this.bytes = bytes;
        }

        long size(long elements) {
            return elements / block * bytes;
        }
    }

    /** Computes one row of a tensor; called with rising row numbers. */
    public interface Rows {
        void fill(long row, float[] into);
    }

    /** A value with the type id and the bytes as given, whatever they mean. */
    public record Raw(int type, byte[] payload) {}

    private record Tensor(String name, TensorType type, long[] shape, Rows rows) {
        long elements() {
            long product = 1;
            for (long dimension : shape) {
                product *= dimension;
            }
            return product;
        }

        long bytes() {
            return type.size(elements());
        }
    }

    private final int version;
    private final ByteOrder order;
    private final Map<String, Object> keys = new LinkedHashMap<>();
    private final List<Tensor> tensors = new ArrayList<>();
    private LongUnaryOperator tensorCount = count -> count;
    private LongUnaryOperator keyCount = count -> count;

    public GgufWriter() {
        this(3, ByteOrder.LITTLE_ENDIAN);
    }

    /** @param version 1 writes lengths in 32 bits, everything else in 64 */
    public GgufWriter(int version, ByteOrder order) {
        this.version = version;
        this.order = order;
    }

    /**
     * @param value {@code Integer} is written as u32, {@code Long} as u64, {@code int[]} as i32s, {@code float[]} as f32s, a
     *     list as strings; {@code Float}, {@code Double}, {@code Boolean}, {@code String} and {@link Raw} as what they are
     */
    public GgufWriter key(String key, Object value) {
        keys.put(key, value);
        return this;
    }

    public GgufWriter withoutKey(String key) {
        keys.remove(key);
        return this;
    }

    /** @param shape the row length first, as the format has it */
    public GgufWriter tensor(String name, TensorType type, Rows rows, long... shape) {
        tensors.add(new Tensor(name, type, shape.clone(), rows));
        return this;
    }

    /** Lets the file promise another number of keys and tensors than it has. */
    public GgufWriter promise(LongUnaryOperator promisedKeys, LongUnaryOperator promisedTensors) {
        keyCount = promisedKeys;
        tensorCount = promisedTensors;
        return this;
    }

    public byte[] bytes() {
        var bytes = new ByteArrayOutputStream();
        try {
            write(bytes);
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return bytes.toByteArray();
    }

    public void write(OutputStream out) throws IOException {
        byte[] header = header();
        out.write(header);
        out.write(new byte[padding(header.length)]);
        for (Tensor tensor : tensors) {
            writeWeights(tensor, out);
            out.write(new byte[padding(tensor.bytes())]);
        }
    }

    /**
     * Writes the header and, for the weights, a hole as long as they would be, which takes no room on the disk: for programs
     * that look at sizes only.
     */
    public void writeHollow(Path file) throws IOException {
        byte[] header = header();
        long weights = 0;
        for (Tensor tensor : tensors) {
            weights += tensor.bytes() + padding(tensor.bytes());
        }
        try (var out = new RandomAccessFile(file.toFile(), "rw")) {
            out.setLength(0);
            out.write(header);
            out.setLength(header.length + padding(header.length) + weights);
        }
    }

    private byte[] header() {
        var out = new Encoder();
        out.bytes("GGUF".getBytes(StandardCharsets.US_ASCII));
        out.u32(version);
        out.length(tensorCount.applyAsLong(tensors.size()));
        out.length(keyCount.applyAsLong(keys.size()));
        keys.forEach((key, value) -> {
            out.string(key);
            out.value(value);
        });
        long offset = 0;
        for (Tensor tensor : tensors) {
            out.string(tensor.name());
            out.u32(tensor.shape().length);
            for (long dimension : tensor.shape()) {
                out.length(dimension);
            }
            out.u32(tensor.type().id);
            out.u64(offset);
            offset += tensor.bytes() + padding(tensor.bytes());
        }
        return out.toByteArray();
    }

    private void writeWeights(Tensor tensor, OutputStream out) throws IOException {
        int rowLength = Math.toIntExact(tensor.shape()[0]);
        var row = new float[rowLength];
        var encoded = ByteBuffer.allocate(Math.toIntExact(tensor.type().size(rowLength)))
                .order(order);
        for (long index = 0; index < tensor.elements() / rowLength; index++) {
            tensor.rows().fill(index, row);
            encoded.clear();
            encode(tensor.type(), row, encoded);
            out.write(encoded.array(), 0, encoded.position());
        }
    }

    private static void encode(TensorType type, float[] row, ByteBuffer into) {
        switch (type) {
            case F32 -> {
                for (float value : row) {
                    into.putFloat(value);
                }
            }
            case F16 -> {
                for (float value : row) {
                    into.putShort(Float.floatToFloat16(value));
                }
            }
            case Q8_0 -> {
                for (int start = 0; start < row.length; start += 32) {
                    encodeBlock(row, start, into);
                }
            }
            case Q4_0, Q4_K -> throw new IllegalStateException(type + " has no encoder; write the file hollow");
        }
    }

    /** One block of Q8_0: a 16-bit scale and 32 signed bytes. */
    private static void encodeBlock(float[] row, int start, ByteBuffer into) {
        float largest = 0;
        for (int i = start; i < start + 32; i++) {
            largest = Math.max(largest, Math.abs(row[i]));
        }
        float scale = largest / 127;
        into.putShort(Float.floatToFloat16(scale));
        for (int i = start; i < start + 32; i++) {
            into.put((byte) (scale == 0 ? 0 : Math.round(row[i] / scale)));
        }
    }

    private static int padding(long length) {
        return (int) ((ALIGNMENT - length % ALIGNMENT) % ALIGNMENT);
    }

    /** The header's scalars in the byte order and length width of this file. */
    private final class Encoder {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        byte[] toByteArray() {
            return out.toByteArray();
        }

        void bytes(byte[] bytes) {
            out.writeBytes(bytes);
        }

        void u32(int value) {
            bytes(ByteBuffer.allocate(4).order(order).putInt(value).array());
        }

        void u64(long value) {
            bytes(ByteBuffer.allocate(8).order(order).putLong(value).array());
        }

        void length(long value) {
            if (version == 1) {
                u32((int) value);
            } else {
                u64(value);
            }
        }

        void string(String text) {
            byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
            length(utf8.length);
            bytes(utf8);
        }

        void value(Object value) {
            switch (value) {
                case Integer number -> {
                    u32(4);
                    u32(number);
                }
                case Long number -> {
                    u32(10);
                    u64(number);
                }
                case Float number -> {
                    u32(6);
                    u32(Float.floatToRawIntBits(number));
                }
                case Double number -> {
                    u32(12);
                    u64(Double.doubleToRawLongBits(number));
                }
                case Boolean flag -> {
                    u32(7);
                    out.write(flag ? 1 : 0);
                }
                case String text -> {
                    u32(8);
                    string(text);
                }
                case int[] numbers -> {
                    array(5, numbers.length);
                    for (int number : numbers) {
                        u32(number);
                    }
                }
                case float[] numbers -> {
                    array(6, numbers.length);
                    for (float number : numbers) {
                        u32(Float.floatToRawIntBits(number));
                    }
                }
                case List<?> texts -> {
                    array(8, texts.size());
                    texts.forEach(text -> string(String.valueOf(text)));
                }
                case Raw raw -> {
                    u32(raw.type());
                    bytes(raw.payload());
                }
                default -> throw new IllegalArgumentException("no GGUF type for " + value.getClass());
            }
        }

        private void array(int elementType, long count) {
            u32(9);
            u32(elementType);
            length(count);
        }
    }
}
