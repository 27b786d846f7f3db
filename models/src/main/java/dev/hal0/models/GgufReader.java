package dev.hal0.models;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Reads the header of a GGUF file: the keys, and the list of tensors, whose data it never touches but whose length it
 * compares with the file's.
 *
 * <p>A file comes from the internet. Therefore: every count and length is checked against what is left of the file before
 * anything is allocated; only keys that hal0 uses are kept; arrays are skipped (a vocabulary has hundreds of thousands of
 * strings) except for the few first elements of three short ones; there is no recursion; and at most
 * {@link Limits#bytes()} are read. Whatever is wrong ends in {@code model.file_invalid} with the offset and, in
 * {@code details.reason}, one of {@code not_gguf}, {@code big_endian}, {@code version}, {@code truncated},
 * {@code malformed}, {@code limit}, {@code unreadable}.
 *
 * <p>Immutable and thread-safe.
 */
public final class GgufReader {
    /**
     * @param bytes read from the file at most; real headers have up to 30 MB
     * @param keys a file may have at most; real ones have fewer than 100
     * @param text bytes kept of a text at most; real chat templates have up to 30 kB
     */
    public record Limits(long bytes, int keys, int text) {
        public static final Limits DEFAULT = new Limits(64L << 20, 65_536, 1 << 20);
    }

    /** A value worth keeping, and where it stood. */
    private record Kept(long offset, Object value) {}

    /** @param first the elements, where they are few and wanted */
    private record Elements(long count, List<Object> first) {}

    private record Tensors(
            long parameters, String dominantType, boolean complete, boolean classifier, ShapeKeys.Tensors shape) {}

    private static final int TYPE_STRING = 8;
    private static final int TYPE_ARRAY = 9;
    private static final int MAX_KEY = 65_535;
    private static final int MAX_TENSOR_NAME = 1024;
    private static final int MAX_DIMENSIONS = 4;
    private static final int DEFAULT_ALIGNMENT = 32;
    private static final int MAX_KEPT = 64;
    private static final int MAX_ELEMENTS = 1024;
    private static final int SHORT_TEXT = 256;

    private static final String CHAT_TEMPLATE = "tokenizer.chat_template";
    private static final Set<String> WANTED = Set.of(
            "general.architecture",
            "general.type",
            "general.name",
            "general.size_label",
            "general.file_type",
            "general.alignment",
            "general.tags",
            "split.no",
            "split.count",
            "tokenizer.ggml.model",
            "tokenizer.ggml.tokens",
            CHAT_TEMPLATE);

    /** Behind the architecture's name, which need not be known yet when they come. */
    private static final List<String> WANTED_ENDINGS = List.of(
            ".context_length",
            ".embedding_length",
            ".block_count",
            ".attention.head_count",
            ".attention.head_count_kv",
            ".pooling_type",
            ".classifier.output_labels");

    private static final List<String> ALL_WANTED_ENDINGS =
            Stream.concat(WANTED_ENDINGS.stream(), ShapeKeys.ENDINGS.stream()).toList();

    private final Limits limits;

    public GgufReader() {
        this(Limits.DEFAULT);
    }

    public GgufReader(Limits limits) {
        this.limits = limits;
    }

    /** @throws Hal0Exception {@code model.file_invalid} saying what is wrong and where */
    public GgufHeader read(Path file) {
        try {
            // Asked first: opening a pipe would wait for its writer.
            if (!Files.readAttributes(file, BasicFileAttributes.class).isRegularFile()) {
                throw refuse(
                        file.toString(),
                        "unreadable",
                        Files.isDirectory(file) ? "is a folder; name the file in it" : "is not a regular file");
            }
            try (FileChannel channel = FileChannel.open(file)) {
                return read(channel, file.toString(), String.valueOf(file.getFileName()));
            }
        } catch (IOException failure) {
            throw unreadable(file.toString(), failure);
        }
    }

    GgufHeader read(SeekableByteChannel channel, String source, String fileName) throws IOException {
        return new Reading(new GgufCursor(channel, source, limits.bytes())).header(fileName);
    }

    static Hal0Exception refuse(String source, String reason, String message) {
        return new Hal0Exception(ErrorCode.MODEL_FILE_INVALID, source + ": " + message)
                .withDetail("path", source)
                .withDetail("reason", reason);
    }

    static Hal0Exception unreadable(String source, IOException failure) {
        String cause = switch (failure) {
            case NoSuchFileException absent -> "there is no such file";
            case AccessDeniedException denied -> "hal0 may not read it: permission denied";
            default ->
                "cannot be read: " + failure.getClass().getSimpleName()
                        + (failure.getMessage() == null ? "" : ": " + failure.getMessage());
        };
        return new Hal0Exception(ErrorCode.MODEL_FILE_INVALID, source + ": " + cause, failure)
                .withDetail("path", source)
                .withDetail("reason", "unreadable");
    }

    /** One pass over one file. */
    private final class Reading {
        private final GgufCursor in;
        private final Map<String, Kept> kept = new HashMap<>();
        private boolean projectorKeys;
        private boolean chatTemplate;

        Reading(GgufCursor in) {
            this.in = in;
        }

        GgufHeader header(String fileName) {
            int version = magicAndVersion();
            long tensorCount = in.length("the tensor count");
            long keyCount = in.length("the key count");
            // The shortest possible key and tensor, so that a false count is found before it is believed.
            requireRoom(keyCount, in.lengthBytes() + 1 + 4 + 1, "keys");
            requireRoom(tensorCount, in.lengthBytes() + 1 + 4 + 4 + 8, "tensors");
            if (keyCount > limits.keys()) {
                throw in.refuse("limit", "it has " + keyCount + " keys; no model has more than " + limits.keys());
            }
            for (long index = 0; index < keyCount; index++) {
                readKey(index);
            }
            String architecture = text("general.architecture");
            if (architecture.isEmpty()) {
                throw in.refuse("malformed", "it names no architecture (general.architecture)");
            }
            Tensors tensors = readTensors(tensorCount);
            String declared =
                    kept.containsKey("general.file_type") ? GgmlType.fileTypeName(number("general.file_type", 0)) : "";
            OptionalInt pooling = kept.containsKey(architecture + ".pooling_type")
                    ? OptionalInt.of(count(architecture + ".pooling_type", 0))
                    : OptionalInt.empty();
            String tokenizer = text("tokenizer.ggml.model");
            boolean hasTokenizer = !tokenizer.isEmpty() && !tokenizer.equals("none") && !tokenizer.equals("no_vocab");
            var guess = CapabilityRules.decide(new CapabilityRules.Facts(
                    text("general.type"),
                    architecture,
                    pooling,
                    tensors.classifier() || kept.containsKey(architecture + ".classifier.output_labels"),
                    projectorKeys,
                    hasTokenizer,
                    chatTemplate,
                    texts("general.tags"),
                    fileName));
            return new GgufHeader(
                    version,
                    in.size(),
                    tensorCount,
                    tensors.parameters(),
                    text("general.type"),
                    architecture,
                    text("general.name"),
                    text("general.size_label"),
                    declared.isEmpty() ? tensors.dominantType() : declared,
                    count(architecture + ".context_length", 0),
                    count(architecture + ".embedding_length", 0),
                    count(architecture + ".block_count", 0),
                    count(architecture + ".attention.head_count", 0),
                    count(architecture + ".attention.head_count_kv", 0),
                    kept.get("tokenizer.ggml.tokens") instanceof Kept(long at, Elements tokens)
                            ? clamp(tokens.count())
                            : 0,
                    template(),
                    tokenizer,
                    pooling,
                    count("split.no", 0),
                    Math.max(1, count("split.count", 1)),
                    tensors.complete(),
                    guess,
                    new ShapeKeys(architecture, shapeValues(), tensors.shape())
                            .shape(count("split.count", 1) > 1 ? OptionalLong.empty() : OptionalLong.of(in.size())));
        }

        private int magicAndVersion() {
            String magic = new String(in.peek(16), StandardCharsets.ISO_8859_1);
            if (magic.startsWith("FUGG")) {
                throw bigEndian();
            }
            if (!magic.startsWith("GGUF")) {
                throw in.refuse("not_gguf", "is not a GGUF file: " + described(magic));
            }
            in.skip(4, "the magic");
            int version = in.u32("the version");
            // Small numbers have their zeros at the other end when the byte order is the other one.
            if (version != 0 && (version & 0xFFFF) == 0) {
                throw bigEndian();
            }
            if (version < 1 || version > 3) {
                throw in.refuse(
                        "version",
                        "has version " + Integer.toUnsignedString(version) + " of the GGUF format; known are 1 to 3");
            }
            if (version == 1) {
                in.useNarrowLengths();
            }
            return version;
        }

        private Hal0Exception bigEndian() {
            return in.refuse(
                    "big_endian", "is a big-endian GGUF file, made for another kind of machine; take the ordinary one");
        }

        private void requireRoom(long count, int leastBytes, String what) {
            if (count < 0 || count > in.remaining() / leastBytes) {
                throw in.refuse(
                        "truncated",
                        "truncated: its header promises " + Long.toUnsignedString(count) + " " + what + ", for which "
                                + in.size() + " bytes have no room");
            }
        }

        private void readKey(long index) {
            long at = in.position();
            String key = name(MAX_KEY, "key " + index);
            int type = in.u32("the type of " + key);
            boolean wanted = isWanted(key);
            projectorKeys |= key.startsWith("clip.has_");
            chatTemplate |= key.equals(CHAT_TEMPLATE);
            Object value;
            if (type == TYPE_ARRAY) {
                value = array(key, wanted);
            } else if (type == TYPE_STRING) {
                if (wanted) {
                    value = in.string(key.equals(CHAT_TEMPLATE) ? limits.text() : SHORT_TEXT, key);
                } else {
                    in.skipString(key);
                    value = null;
                }
            } else {
                value = scalar(type, key);
            }
            if (wanted && value != null && kept.putIfAbsent(key, new Kept(at, value)) != null) {
                throw in.refuse("malformed", "has the key " + key + " twice");
            }
        }

        /** A key's or tensor's name; shown in messages, so it is cleaned. */
        private String name(int longest, String what) {
            long at = in.position();
            long length = in.length("the length of " + what);
            if (length < 1 || length > longest) {
                throw in.refuse(
                        "malformed",
                        "is damaged: at offset " + at + " the name of " + what + " would be "
                                + Long.toUnsignedString(length) + " bytes long");
            }
            return clean(in.bytesAsText(length, SHORT_TEXT, what));
        }

        private boolean isWanted(String key) {
            if (WANTED.contains(key)) {
                return true;
            }
            return kept.size() < MAX_KEPT && ALL_WANTED_ENDINGS.stream().anyMatch(key::endsWith);
        }

        private Object scalar(int type, String key) {
            return switch (type) {
                case 0 -> (long) in.u8(key);
                case 1 -> (long) (byte) in.u8(key);
                case 2 -> (long) in.u16(key);
                case 3 -> (long) (short) in.u16(key);
                case 4 -> Integer.toUnsignedLong(in.u32(key));
                case 5 -> (long) in.u32(key);
                case 6 -> (double) Float.intBitsToFloat(in.u32(key));
                case 7 -> in.u8(key) != 0;
                case 10, 11 -> in.u64(key);
                case 12 -> Double.longBitsToDouble(in.u64(key));
                default -> throw unknownType(type, key);
            };
        }

        private Elements array(String key, boolean wanted) {
            int type = in.u32("the element type of " + key);
            if (type == TYPE_ARRAY) {
                throw in.refuse("malformed", "has an array of arrays at key " + key + ", which no model has");
            }
            long count = in.length("the length of " + key);
            int width = type == TYPE_STRING ? in.lengthBytes() : width(type, key);
            requireRoom(count, width, "elements of " + key);
            boolean keep = wanted && count <= MAX_ELEMENTS && (type != TYPE_STRING || key.equals("general.tags"));
            var first = new ArrayList<Object>();
            if (type == TYPE_STRING) {
                for (long index = 0; index < count; index++) {
                    if (keep) {
                        first.add(in.string(SHORT_TEXT, key));
                    } else {
                        in.skipString(key);
                    }
                }
            } else if (keep) {
                for (long index = 0; index < count; index++) {
                    first.add(scalar(type, key));
                }
            } else {
                in.skip(count * width, key);
            }
            return new Elements(count, List.copyOf(first));
        }

        private int width(int type, String key) {
            return switch (type) {
                case 0, 1, 7 -> 1;
                case 2, 3 -> 2;
                case 4, 5, 6 -> 4;
                case 10, 11, 12 -> 8;
                default -> throw unknownType(type, key);
            };
        }

        private Hal0Exception unknownType(int type, String key) {
            return in.refuse(
                    "malformed",
                    "is damaged: key " + key + " has the unknown value type " + Integer.toUnsignedString(type));
        }

        private Tensors readTensors(long tensorCount) {
            int alignment = alignment();
            long parameters = 0;
            long end = 0;
            boolean complete = true;
            boolean classifier = false;
            String last = "";
            var shape = new ShapeKeys.Tensors();
            var bytesByType = new HashMap<String, Long>();
            for (long index = 0; index < tensorCount; index++) {
                String tensor = name(MAX_TENSOR_NAME, "tensor " + index);
                classifier |= tensor.equals("cls.output.weight") || tensor.equals("cls.weight");
                long elements = 1;
                long row = 1;
                int dimensions = in.u32(tensor);
                if (dimensions < 0 || dimensions > MAX_DIMENSIONS) {
                    throw damaged(tensor, "has " + Integer.toUnsignedString(dimensions) + " dimensions");
                }
                try {
                    for (int dimension = 0; dimension < dimensions; dimension++) {
                        long length = in.length(tensor);
                        if (length < 0) {
                            throw damaged(tensor, "has a negative dimension");
                        }
                        row = dimension == 0 ? length : row;
                        elements = Math.multiplyExact(elements, length);
                    }
                    int typeId = in.u32(tensor);
                    long offset = in.u64(tensor);
                    if (offset < 0 || offset % alignment != 0) {
                        throw damaged(
                                tensor,
                                "stands at offset " + Long.toUnsignedString(offset) + ", not a multiple of "
                                        + alignment);
                    }
                    Optional<GgmlType> type = GgmlType.of(typeId);
                    if (type.isPresent() && row % type.get().block() != 0) {
                        throw damaged(
                                tensor,
                                "has rows of " + row + ", not a multiple of "
                                        + type.get().block());
                    }
                    long bytes = type.isPresent() ? type.get().bytesOf(elements) : 0;
                    complete &= type.isPresent();
                    shape.add(tensor, row, elements, bytes);
                    bytesByType.merge(type.map(Enum::name).orElse(""), bytes, Math::addExact);
                    parameters = Math.addExact(parameters, elements);
                    long tensorEnd = Math.addExact(offset, bytes);
                    if (tensorEnd > end) {
                        end = tensorEnd;
                        last = tensor;
                    }
                } catch (ArithmeticException overflow) {
                    throw damaged(tensor, "is larger than any file");
                }
            }
            requireData(alignment, end, last);
            return new Tensors(parameters, dominant(bytesByType), complete, classifier, shape);
        }

        /** Numbers, flags, and lists of them that are whole. */
        private Map<String, Object> shapeValues() {
            var values = new HashMap<String, Object>();
            kept.forEach((key, found) -> {
                if (found.value() instanceof Elements(long count, List<Object> first)) {
                    if (key.equals("tokenizer.ggml.tokens")) {
                        values.put(key, count);
                    } else if (first.size() == count) {
                        values.put(key, first);
                    }
                } else {
                    values.put(key, found.value());
                }
            });
            return values;
        }

        private void requireData(int alignment, long end, String last) {
            // A remainder, not an addition: an alignment of 2^31 must not overflow.
            long beyond = in.position() % alignment;
            long start = in.position() + (beyond == 0 ? 0 : alignment - beyond);
            if (end > in.size() - start) {
                throw in.refuse(
                        "truncated",
                        "truncated: tensor " + last + " ends " + end + " bytes after offset " + start
                                + ", but the file ends at " + in.size() + "; download it again");
            }
        }

        private int alignment() {
            long alignment = number("general.alignment", DEFAULT_ALIGNMENT);
            if (alignment < 1 || alignment > 1 << 30 || Long.bitCount(alignment) != 1) {
                throw in.refuse("malformed", "is damaged: its alignment would be " + alignment);
            }
            return (int) alignment;
        }

        private Hal0Exception damaged(String tensor, String how) {
            return in.refuse("malformed", "is damaged: tensor " + tensor + " " + how);
        }

        private static String dominant(Map<String, Long> bytesByType) {
            return bytesByType.entrySet().stream()
                    .max(Map.Entry.<String, Long>comparingByValue().thenComparing(Map.Entry.comparingByKey()))
                    .map(Map.Entry::getKey)
                    .orElse("");
        }

        private Optional<String> template() {
            return chatTemplate
                    ? Optional.of(kept.get(CHAT_TEMPLATE) instanceof Kept(long at, String text) ? text : "")
                    : Optional.empty();
        }

        private String text(String key) {
            Kept found = kept.get(key);
            if (found == null) {
                return "";
            }
            if (!(found.value() instanceof String text)) {
                throw wrongType(key, found, "a text");
            }
            return clean(text);
        }

        private List<String> texts(String key) {
            return kept.get(key) instanceof Kept(long at, Elements elements)
                    ? elements.first().stream()
                            .filter(String.class::isInstance)
                            .map(text -> clean((String) text))
                            .toList()
                    : List.of();
        }

        /** A number; of an array, as of values per layer, the largest. */
        private long number(String key, long otherwise) {
            Kept found = kept.get(key);
            if (found == null) {
                return otherwise;
            }
            return switch (found.value()) {
                case Long number -> number;
                case Elements elements ->
                    elements.first().stream()
                            .filter(Long.class::isInstance)
                            .mapToLong(element -> (Long) element)
                            .max()
                            .orElse(otherwise);
                default -> throw wrongType(key, found, "a whole number");
            };
        }

        private int count(String key, int otherwise) {
            return clamp(number(key, otherwise));
        }

        private Hal0Exception wrongType(String key, Kept found, String expected) {
            return in.refuse("malformed", "is damaged: key " + key + " is not " + expected)
                    .withDetail("offset", found.offset());
        }
    }

    private static int clamp(long number) {
        return (int) Math.max(0, Math.min(Integer.MAX_VALUE, number));
    }

    /** What the first bytes look like, for those who downloaded something else. */
    private static String described(String magic) {
        if (magic.isEmpty()) {
            return "it is empty";
        }
        if (magic.startsWith("version https://")) {
            return "it is a git-lfs pointer; fetch the file itself";
        }
        if (magic.startsWith("<")) {
            return "it is a web page, perhaps an error message; download it again";
        }
        if (magic.startsWith("PK\3\4")) {
            return "it is a zip archive";
        }
        if (magic.startsWith("lmgg") || magic.startsWith("tjgg") || magic.startsWith("fmgg")) {
            return "it is a GGML file from before GGUF; convert it or take a newer one";
        }
        if (magic.length() > 8 && magic.startsWith("{\"", 8)) {
            return "it is a safetensors file; convert it to GGUF";
        }
        return "it does not begin with GGUF";
    }

    /** Texts of a file go to terminals and web pages. */
    private static String clean(String text) {
        return text.chars().allMatch(letter -> letter > ' ' && letter < 0x7F)
                ? text
                : text.replaceAll("\\p{C}+", " ").strip();
    }
}
