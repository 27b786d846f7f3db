package dev.hal0.models;

import dev.hal0.kernel.Hal0Exception;
import dev.hal0.models.CapabilityGuess.Confidence;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;

/** Looks into a file: what it is, and whether an engine could load it. Thread-safe. */
final class FileExaminer {
    /**
     * @param name the file's own display name; empty when it has none
     * @param quantization empty when unknown
     * @param contextLength in tokens; 0 when unknown
     * @param sizeBytes of all parts
     * @param tools whether its chat template speaks of tools
     * @param engines families that can run it
     */
    record Examined(
            String name,
            long sizeBytes,
            String architecture,
            String quantization,
            int contextLength,
            boolean chatTemplate,
            boolean tools,
            ModelCapability capability,
            Confidence confidence,
            String reason,
            List<String> engines,
            Map<String, Object> hints) {
        /** Words to find it by when it is served as {@code served}. */
        Set<String> labels(ModelCapability served, boolean withProjector) {
            var labels = new TreeSet<String>();
            labels.add(served.label());
            if (withProjector) {
                labels.add("vision");
            }
            if (tools && served == ModelCapability.CHAT) {
                labels.add("tool-calling");
            }
            return labels;
        }
    }

    /** A projector, which is loaded beside a model. */
    record Projector(String quantization) {}

    private static final String WHISPER_CPP = "whisper.cpp";
    private static final Pattern SPEECH_TO_TEXT = word("whisper|moonshine");
    private static final Pattern TEXT_TO_SPEECH = word("kokoro");

    private final GgufReader reader;

    FileExaminer(GgufReader reader) {
        this.reader = reader;
    }

    /** @throws Hal0Exception {@code model.file_invalid} */
    GgufHeader header(Path file, String fileName) {
        try (FileChannel channel = FileChannel.open(file)) {
            return reader.read(channel, file.toString(), fileName);
        } catch (IOException failure) {
            throw GgufReader.refuse(file.toString(), "unreadable", Disk.described(failure));
        }
    }

    Optional<Projector> projector(GgufHeader header) {
        boolean projector =
                header.architecture().equals("clip") || header.type().equals("mmproj");
        return projector ? Optional.of(new Projector(header.quantization())) : Optional.empty();
    }

    /**
     * @param file the first part of a model in parts
     * @throws Hal0Exception {@code model.file_invalid} when it is no complete model that an engine can load
     */
    Examined examine(Path file, GgufHeader header) {
        String source = file.toString();
        if (header.version() == 1) {
            throw GgufReader.refuse(
                    source, "version", "has version 1 of the GGUF format, which llama.cpp no longer loads");
        }
        CapabilityGuess guess = header.capability();
        var capability = guess.capability()
                .orElseThrow(() -> GgufReader.refuse(source, "not_a_model", "cannot be served: " + guess.reason()));
        if (header.tensorCount() == 0 && header.shardCount() == 1) {
            throw GgufReader.refuse(source, "not_a_model", "has no tensors: it is only a vocabulary");
        }
        return new Examined(
                header.name(),
                ModelFiles.completeSize(file, header, reader),
                header.architecture(),
                header.quantization(),
                header.contextLength(),
                header.chatTemplate().isPresent(),
                header.chatTemplate().filter(text -> text.contains("tools")).isPresent(),
                capability,
                guess.confidence(),
                guess.reason(),
                RegistryEntries.LLAMA_CPP,
                hints(header));
    }

    /** A file that was found to be complete. */
    Examined examine(WhisperFile whisper) {
        return new Examined(
                "",
                whisper.sizeBytes(),
                "whisper",
                whisper.quantization(),
                0,
                false,
                false,
                ModelCapability.TRANSCRIPTION,
                Confidence.HIGH,
                "it is a whisper model in ggml's format",
                List.of(WHISPER_CPP),
                Map.of("multilingual", whisper.multilingual()));
    }

    private static Map<String, Object> hints(GgufHeader header) {
        var hints = new TreeMap<String, Object>();
        hints.put("format_version", header.version());
        hints.put("parameters", header.parameters());
        hints.put("chat_template", header.chatTemplate().isPresent());
        put(hints, "general_name", header.name());
        put(hints, "general_type", header.type());
        put(hints, "size_label", header.sizeLabel());
        put(hints, "tokenizer", header.tokenizerModel());
        header.poolingType().ifPresent(pooling -> hints.put("pooling_type", pooling));
        if (!header.complete()) {
            hints.put("unknown_tensor_type", true);
        }
        return hints;
    }

    private static void put(Map<String, Object> hints, String key, String text) {
        if (!text.isEmpty()) {
            hints.put(key, text);
        }
    }

    /** What a file in another format is, by its name and place alone; empty when nothing tells. */
    Optional<Examined> byName(Path file, String fileName, long size) {
        String name = fileName.toLowerCase(Locale.ROOT);
        if (SPEECH_TO_TEXT.matcher(name).find()) {
            String engine = name.contains("moonshine") ? "moonshine" : WHISPER_CPP;
            return Optional.of(other(size, ModelCapability.TRANSCRIPTION, engine, "its file name says so"));
        }
        if (TEXT_TO_SPEECH.matcher(name).find()) {
            return Optional.of(other(size, ModelCapability.SPEECH, "kokoro", "its file name says kokoro"));
        }
        return ScanNames.isInComfyUi(file)
                ? Optional.of(other(size, ModelCapability.IMAGE, "comfyui", "it lies in a folder of ComfyUI"))
                : Optional.empty();
    }

    private static Examined other(long size, ModelCapability capability, String engine, String reason) {
        return new Examined(
                "", size, "", "", 0, false, false, capability, Confidence.LOW, reason, List.of(engine), Map.of());
    }

    private static Pattern word(String alternatives) {
        return Pattern.compile("(?<![a-z0-9])(?:" + alternatives + ")(?![a-z0-9])");
    }
}
