package dev.hal0.slots;

import dev.hal0.kernel.DurableFiles;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.Json;
import dev.hal0.kernel.SlotName;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;

/** The {@code state.json} files. A file that cannot be read is a warning and an offline slot, never a failed start. */
final class SlotRecords {
    private static final Logger log = LoggerFactory.getLogger(SlotRecords.class);

    private final Path root;
    private final DurableFiles files;

    SlotRecords(Path root, DurableFiles files) {
        this.root = root;
        this.files = files;
    }

    void write(SlotMachine machine) {
        byte[] json = Json.PRETTY.writeValueAsString(SlotRecord.of(machine)).getBytes(StandardCharsets.UTF_8);
        // Arguments may name a person's files: readable by the owner only.
        files.write(file(machine.slot()), json, DurableFiles.PRIVATE);
    }

    Optional<SlotRecord> read(SlotName slot) {
        try {
            Optional<SlotRecord> record =
                    files.read(file(slot)).map(text -> Json.LENIENT.readValue(text, SlotRecord.class));
            if (record.isPresent() && !record.get().name().equals(slot)) {
                log.warn(
                        "slot {}: {} is about {} and is ignored",
                        slot,
                        file(slot),
                        record.get().name());
                return Optional.empty();
            }
            return record;
        } catch (JacksonException | Hal0Exception unreadable) {
            log.warn("slot {}: {} cannot be read and is ignored: {}", slot, file(slot), unreadable.getMessage());
            return Optional.empty();
        }
    }

    void delete(SlotName slot) {
        files.delete(file(slot));
    }

    /** Every slot that ever left a record, defined or not. */
    List<SlotName> recorded() {
        if (!Files.isDirectory(root)) {
            return List.of();
        }
        try (var folders = Files.list(root)) {
            return folders.filter(folder -> Files.exists(folder.resolve("state.json")))
                    .map(folder -> folder.getFileName().toString())
                    .filter(SlotName::isValid)
                    .map(SlotName::new)
                    .sorted()
                    .toList();
        } catch (IOException unreadable) {
            log.warn("{} cannot be listed: {}", root, unreadable.getMessage());
            return List.of();
        }
    }

    void write(GpuMode mode) {
        files.write(
                modeFile(),
                Json.PRETTY.writeValueAsString(GpuModeRecord.of(mode)).getBytes(StandardCharsets.UTF_8),
                DurableFiles.PRIVATE);
    }

    /** The default where it was never written or cannot be read: the slots' own records say what runs. */
    GpuMode mode() {
        try {
            return files.read(modeFile())
                    .map(text ->
                            Json.LENIENT.readValue(text, GpuModeRecord.class).toMode())
                    .orElse(GpuMode.INFERENCE);
        } catch (JacksonException | Hal0Exception unreadable) {
            log.warn("{} cannot be read and is ignored: {}", modeFile(), unreadable.getMessage());
            return GpuMode.INFERENCE;
        }
    }

    private Path modeFile() {
        return root.resolve("gpu-mode.json");
    }

    private Path file(SlotName slot) {
        return root.resolve(slot.value()).resolve("state.json");
    }
}
