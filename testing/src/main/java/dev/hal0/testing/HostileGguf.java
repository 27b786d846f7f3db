package dev.hal0.testing;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * A file that a person may well hand to {@code hal0 model add}, or that somebody made to hurt: each must be refused, at
 * once and with a reason.
 *
 * @param name what is wrong, as a test's display name
 * @param content the whole file
 * @param reason the kind of refusal: {@code not_gguf}, {@code big_endian}, {@code version}, {@code truncated},
 *     {@code malformed} or {@code limit}
 */
public record HostileGguf(String name, byte[] content, String reason) {
    private static final int U32 = 4;
    private static final int STRING = 8;
    private static final int ARRAY = 9;
    private static final int U64 = 10;

    @Override
    public String toString() {
        return name;
    }

    public static List<HostileGguf> all() {
        byte[] valid = TestingGguf.chat().bytes();
        return List.of(
                of("empty file", new byte[0], "not_gguf"),
                of("three bytes", text("GGU"), "not_gguf"),
                of("wrong magic", with(valid, 0, text("GGML")), "not_gguf"),
                of(
                        "pointer of git-lfs",
                        text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
                        "not_gguf"),
                of("web page", text("<!DOCTYPE html><html><body>Access denied</body></html>"), "not_gguf"),
                of("zip archive", text("PK\3\4aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), "not_gguf"),
                of(
                        "big-endian file",
                        TestingGguf.chat().withFormat(3, ByteOrder.BIG_ENDIAN).bytes(),
                        "big_endian"),
                of("reversed magic", with(valid, 0, text("FUGG")), "big_endian"),
                of("version 0", with(valid, 4, u32(0)), "version"),
                of("version 4", with(valid, 4, u32(4)), "version"),
                of("version of all ones", with(valid, 4, u32(-1)), "version"),
                of("magic only", Arrays.copyOf(valid, 4), "truncated"),
                of("cut in the counts", Arrays.copyOf(valid, 20), "truncated"),
                of("cut after the counts", Arrays.copyOf(valid, 24), "truncated"),
                of("cut in the keys", Arrays.copyOf(valid, 200), "truncated"),
                of("cut in the vocabulary", Arrays.copyOf(valid, 3000), "truncated"),
                of("cut in the tensor data", Arrays.copyOf(valid, valid.length / 2), "truncated"),
                of("last block missing", Arrays.copyOf(valid, valid.length - GgufWriter.ALIGNMENT), "truncated"),
                of(
                        "more keys than the file has room for",
                        header(3, 0, 1L << 40).bytes(),
                        "truncated"),
                of(
                        "more tensors than the file has room for",
                        header(3, 1L << 40, 0).bytes(),
                        "truncated"),
                of("largest counts", header(3, Long.MAX_VALUE, Long.MAX_VALUE).bytes(), "truncated"),
                of("negative counts", header(3, -1, -1).bytes(), "truncated"),
                of("one key too many", promising(1, 0), "malformed"),
                of("key of 2^62 bytes", header(3, 0, 1).u64(1L << 62).zeros(64).bytes(), "malformed"),
                of("key of negative length", header(3, 0, 1).u64(-1).zeros(64).bytes(), "malformed"),
                of(
                        "empty key",
                        header(3, 0, 1).string("").u32(U32).u32(1).zeros(64).bytes(),
                        "malformed"),
                of(
                        "value of 2^62 bytes",
                        key("general.name", STRING).u64(1L << 62).zeros(64).bytes(),
                        "truncated"),
                of(
                        "array of 2^61 numbers of 8 bytes",
                        key("x", ARRAY).u32(U64).u64(1L << 61).zeros(64).bytes(),
                        "truncated"),
                of(
                        "array of 2^40 strings",
                        key("x", ARRAY).u32(STRING).u64(1L << 40).zeros(64).bytes(),
                        "truncated"),
                of(
                        "array of negative length",
                        key("x", ARRAY).u32(U32).u64(-1).zeros(64).bytes(),
                        "truncated"),
                of("arrays in arrays, 10,000 deep", nested(10_000), "malformed"),
                of("unknown type of value", key("x", 13).zeros(64).bytes(), "malformed"),
                of(
                        "unknown type of elements",
                        key("x", ARRAY).u32(99).u64(1).zeros(64).bytes(),
                        "malformed"),
                of(
                        "no architecture",
                        key("general.name", STRING).string("x").zeros(64).bytes(),
                        "malformed"),
                of(
                        "architecture that is a number",
                        key("general.architecture", U32).u32(1).zeros(64).bytes(),
                        "malformed"),
                of(
                        "the same key twice",
                        header(3, 0, 2)
                                .string("general.architecture")
                                .u32(STRING)
                                .string("llama")
                                .string("general.architecture")
                                .u32(STRING)
                                .string("bert")
                                .zeros(64)
                                .bytes(),
                        "malformed"),
                of("alignment of 0", alignment(0), "malformed"),
                of("alignment that is not a power of two", alignment(48), "malformed"),
                of("tensor of 5 dimensions", tensor(new long[] {32, 1, 1, 1, 1}, 0, 0), "malformed"),
                of(
                        "tensor of 2^32 dimensions",
                        architecture(1).string("t").u32(-1).zeros(64).bytes(),
                        "malformed"),
                of("tensor larger than any number", tensor(new long[] {1L << 40, 1L << 40}, 0, 0), "malformed"),
                of("tensor of negative size", tensor(new long[] {-32}, 0, 0), "malformed"),
                of("row that is no multiple of its block", tensor(new long[] {33}, 8, 0), "malformed"),
                of("tensor far beyond the end", tensor(new long[] {32}, 0, 1L << 50), "truncated"),
                of("tensor at a negative offset", tensor(new long[] {32}, 0, -32), "malformed"),
                of("tensor at an offset that is not aligned", tensor(new long[] {32}, 0, 7), "malformed"),
                of(
                        "tensor with a name of 2^40 bytes",
                        architecture(1).u64(1L << 40).zeros(64).bytes(),
                        "malformed"),
                of("70,000 keys", header(3, 0, 70_000).zeros(70_000 * 32).bytes(), "limit"));
    }

    private static HostileGguf of(String name, byte[] content, String reason) {
        return new HostileGguf(name, content, reason);
    }

    private static byte[] promising(int moreKeys, int moreTensors) {
        return new GgufWriter()
                .key("general.architecture", "llama")
                .tensor("t", GgufWriter.TensorType.F32, (row, into) -> {}, 64, 64)
                .promise(keys -> keys + moreKeys, tensors -> tensors + moreTensors)
                .bytes();
    }

    private static byte[] alignment(int value) {
        return header(3, 0, 2)
                .string("general.architecture")
                .u32(STRING)
                .string("llama")
                .string("general.alignment")
                .u32(U32)
                .u32(value)
                .zeros(64)
                .bytes();
    }

    private static byte[] nested(int depth) {
        var bytes = key("x", ARRAY);
        for (int level = 0; level < depth; level++) {
            bytes.u32(ARRAY).u64(1);
        }
        return bytes.u32(U32).u64(0).bytes();
    }

    private static byte[] tensor(long[] shape, int type, long offset) {
        var bytes = architecture(1).string("t").u32(shape.length);
        for (long dimension : shape) {
            bytes.u64(dimension);
        }
        return bytes.u32(type).u64(offset).zeros(256).bytes();
    }

    private static Bytes architecture(long tensors) {
        return header(3, tensors, 1).string("general.architecture").u32(STRING).string("llama");
    }

    private static Bytes key(String name, int type) {
        return header(3, 0, 1).string(name).u32(type);
    }

    private static Bytes header(int version, long tensors, long keys) {
        return new Bytes().raw(text("GGUF")).u32(version).u64(tensors).u64(keys);
    }

    private static byte[] with(byte[] original, int at, byte[] replacement) {
        byte[] copy = original.clone();
        System.arraycopy(replacement, 0, copy, at, replacement.length);
        return copy;
    }

    private static byte[] text(String ascii) {
        return ascii.getBytes(StandardCharsets.ISO_8859_1);
    }

    private static byte[] u32(int value) {
        return ByteBuffer.allocate(4)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(value)
                .array();
    }

    private static final class Bytes {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        Bytes raw(byte[] bytes) {
            out.writeBytes(bytes);
            return this;
        }

        Bytes u32(int value) {
            return raw(HostileGguf.u32(value));
        }

        Bytes u64(long value) {
            return raw(ByteBuffer.allocate(8)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(value)
                    .array());
        }

        Bytes string(String value) {
            byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
            return u64(utf8.length).raw(utf8);
        }

        Bytes zeros(int count) {
            return raw(new byte[count]);
        }

        byte[] bytes() {
            return out.toByteArray();
        }
    }
}
