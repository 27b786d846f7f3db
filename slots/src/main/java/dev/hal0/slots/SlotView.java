package dev.hal0.slots;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.hal0.kernel.SlotName;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A slot as users see it: its definition, what was observed of its workload, and what is going on.
 *
 * @param model what runs, else what is configured; null for neither
 * @param state with {@code serving} and {@code idle} derived at this instant
 * @param engine family of the running or last launch; null before the first
 * @param configDirty the workload runs another plan than the files say; a restart would change it
 * @param configError why the file on disk is not in force; null when it is
 * @param failures attempts that failed in a row, also while the next one is under way; counted anew when the slot has been
 *     ready for a minute
 * @param retryAt when a failed slot that should be loaded is tried again by itself; null where it is not
 * @param memoryBytes null when nothing runs or it cannot be read
 * @param lastUsedAt null if it never was, to the second after a crash of the control plane up to half a minute old
 * @param actions what is allowed now
 */
public record SlotView(
        SlotName name,
        SlotType type,
        Device device,
        boolean enabled,
        @JsonProperty("default") boolean isDefault,
        int port,
        @Nullable String model,
        SlotState state,
        CauseCode cause,
        String message,
        Instant since,
        @Nullable String engine,
        String runtime,
        @JsonProperty("config_dirty") boolean configDirty,
        @JsonProperty("config_error") @Nullable String configError,
        int failures,
        @JsonProperty("retry_at") @Nullable Instant retryAt,
        @Nullable Incarnation incarnation,
        int permits,
        int inside,
        int waiting,
        @JsonProperty("memory_bytes") @Nullable Long memoryBytes,
        @JsonProperty("last_used_at") @Nullable Instant lastUsedAt,
        List<String> actions,
        @Nullable Operation operation) {}
