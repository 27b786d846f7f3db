package dev.hal0.server;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.TomlDocument;
import dev.hal0.models.StoreSettings;
import dev.hal0.runtime.engine.LlamaCppEngine;
import dev.hal0.runtime.engine.WhisperCppEngine;
import dev.hal0.slots.ResidencyLimits;
import dev.hal0.slots.SlotPolicy;
import dev.hal0.slots.SlotType;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * {@code hal0.toml}: one optional file, every key with a default. An unknown key or a value out of range is an error that
 * names its path; the server does not start with a file that it only half understands.
 *
 * @param allowedHosts names a browser may use for this box, beyond addresses, localhost and {@code .local} names
 * @param llamaServer a person's own llama-server, which wins over every other
 * @param whisperServer a person's own whisper-server; hal0 fetches none
 * @param mirror Debian mirror for engine installs; empty = the machine's own apt configuration
 * @param keyring what the signature of that mirror's index is checked with; empty = the machine's Debian keyring
 * @param maxBodyBytes of a request to {@code /v1}
 * @param streamIdle a stream without a byte from the engine for this long is ended
 * @param streamTotal a stream is ended after this long
 * @param models where model files are kept and looked for
 * @param memoryBudgetBytes what slots may hold in all; empty = what the machine has
 * @param runtime what runs the engines
 */
record Settings(
        List<String> allowedHosts,
        Optional<String> llamaServer,
        Optional<String> whisperServer,
        Optional<String> mirror,
        Optional<String> keyring,
        long maxBodyBytes,
        Duration streamIdle,
        Duration streamTotal,
        boolean unknownModelsToDefault,
        SlotPolicy slots,
        Optional<Long> memoryBudgetBytes,
        StoreSettings models,
        RuntimeChoice.Wish runtime) {

    static Settings read(TomlDocument document) {
        document.requireOnlyKeys(
                List.of(), Set.of("network", "engines", "server", "dispatcher", "slots", "models", "image"));
        document.requireOnlyKeys(List.of("network"), Set.of("allowed_hosts"));
        document.requireOnlyKeys(List.of("engines"), Set.of("llama_server", "whisper_server", "mirror", "keyring"));
        document.requireOnlyKeys(List.of("server"), Set.of("max_body_mb"));
        document.requireOnlyKeys(List.of("image"), Set.of("idle_restore_minutes"));
        document.requireOnlyKeys(List.of("dispatcher"), Set.of("stream_idle_s", "stream_total_s", "unknown_models"));
        document.requireOnlyKeys(
                List.of("slots"),
                Set.of(
                        "runtime",
                        "port_range_start",
                        "port_range_end",
                        "load_timeout_s",
                        "drain_timeout_s",
                        "stop_grace_s",
                        "hung_after_s",
                        "memory_budget_mb",
                        "evict_pressure_mb",
                        "limits"));
        document.requireOnlyKeys(
                List.of("slots", "limits"),
                Arrays.stream(SlotType.values()).map(SlotType::label).collect(Collectors.toSet()));
        document.requireOnlyKeys(List.of("models"), StoreSettings.KEYS);
        var defaults = SlotPolicy.DEFAULT;
        int firstPort = (int) integer(document, "slots", "port_range_start", defaults.firstPort(), 1024, 65535);
        int lastPort = (int) integer(document, "slots", "port_range_end", defaults.lastPort(), 1024, 65535);
        if (lastPort < firstPort) {
            throw invalid("slots.port_range_end", "is below slots.port_range_start");
        }
        var slots = new SlotPolicy(
                seconds(document, "slots", "load_timeout_s", defaults.loadBudget(), 1, 86_400),
                seconds(document, "slots", "drain_timeout_s", defaults.drainBudget(), 0, 86_400),
                seconds(document, "slots", "stop_grace_s", defaults.stopGrace(), 0, 600),
                seconds(document, "slots", "hung_after_s", defaults.hungAfter(), 1, 86_400),
                firstPort,
                lastPort,
                new ResidencyLimits(
                        residentPerType(document),
                        Map.of(),
                        integer(document, "slots", "evict_pressure_mb", 1024, 0, 1 << 20) << 20,
                        defaults.limits().leastResidency(),
                        defaults.limits().patience(),
                        defaults.limits().longestWait(),
                        Duration.ofMinutes(integer(document, "image", "idle_restore_minutes", 60, 0, 10_080))));
        return new Settings(
                document.strings(List.of("network", "allowed_hosts")).orElse(List.of()),
                document.string(List.of("engines", "llama_server")).filter(path -> !path.isBlank()),
                document.string(List.of("engines", "whisper_server")).filter(path -> !path.isBlank()),
                document.string(List.of("engines", "mirror")).filter(mirror -> !mirror.isBlank()),
                document.string(List.of("engines", "keyring")).filter(keyring -> !keyring.isBlank()),
                integer(document, "server", "max_body_mb", 64, 1, 1024) << 20,
                seconds(document, "dispatcher", "stream_idle_s", Duration.ofSeconds(300), 0, 86_400),
                seconds(document, "dispatcher", "stream_total_s", Duration.ofSeconds(3600), 0, 604_800),
                unknownModelsToDefault(document),
                slots,
                document.integer(List.of("slots", "memory_budget_mb"))
                        .map(given -> integer(document, "slots", "memory_budget_mb", given, 1, 1 << 24) << 20),
                StoreSettings.of(document),
                runtime(document));
    }

    private static RuntimeChoice.Wish runtime(TomlDocument document) {
        String given = document.string(List.of("slots", "runtime")).orElse("auto");
        return Arrays.stream(RuntimeChoice.Wish.values())
                .filter(wish -> wish.label().equals(given))
                .findFirst()
                .orElseThrow(
                        () -> invalid("slots.runtime", "is '" + given + "'; it can be 'auto', 'podman' or 'process'"));
    }

    /** A person's own programs, by engine family. */
    Map<String, Path> programs() {
        var programs = new HashMap<String, Path>();
        llamaServer.ifPresent(path -> programs.put(LlamaCppEngine.FAMILY, Path.of(path)));
        whisperServer.ifPresent(path -> programs.put(WhisperCppEngine.FAMILY, Path.of(path)));
        return programs;
    }

    private static Map<SlotType, Integer> residentPerType(TomlDocument document) {
        var limits = new EnumMap<SlotType, Integer>(SlotType.class);
        for (SlotType type : SlotType.values()) {
            document.integer(List.of("slots", "limits", type.label())).ifPresent(given -> {
                if (given < 0 || given > 1_000) {
                    throw invalid("slots.limits." + type.label(), "is " + given + "; it can be 0 (no limit) to 1000");
                }
                if (given > 0) {
                    limits.put(type, Math.toIntExact(given));
                }
            });
        }
        return limits;
    }

    private static boolean unknownModelsToDefault(TomlDocument document) {
        String value = document.string(List.of("dispatcher", "unknown_models")).orElse("refuse");
        return switch (value) {
            case "refuse" -> false;
            case "default" -> true;
            default -> throw invalid("dispatcher.unknown_models", "is '" + value + "'; it can be refuse or default");
        };
    }

    private static Duration seconds(
            TomlDocument document, String table, String key, Duration otherwise, int least, int most) {
        return Duration.ofSeconds(integer(document, table, key, otherwise.toSeconds(), least, most));
    }

    private static long integer(
            TomlDocument document, String table, String key, long otherwise, long least, long most) {
        long value = document.integer(List.of(table, key)).orElse(otherwise);
        if (value < least || value > most) {
            throw invalid(table + "." + key, "is " + value + "; it can be " + least + " to " + most);
        }
        return value;
    }

    private static Hal0Exception invalid(String path, String problem) {
        return new Hal0Exception(ErrorCode.CONFIG_INVALID, "`" + path + "` in hal0.toml " + problem + ".")
                .withParam(path);
    }
}
