package dev.hal0.slots;

import dev.hal0.kernel.SlotName;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The less common keys of a slot's file. */
final class SlotOptionsFormat {
    static final Set<String> ROOT_KEYS = Set.of(
            "profile",
            "image",
            "provider",
            "runtime",
            "enable_thinking",
            "mtp",
            "gpu_index",
            "chat_template",
            "vision",
            "idle_timeout_s",
            "lru",
            "workers",
            "default_voice",
            "default_speed",
            "default_response_format",
            "npu",
            "served_by",
            "role",
            "group",
            "labels",
            "system_prompt");
    private static final Set<String> NPU_KEYS = Set.of("asr", "embed", "chat");
    private static final Set<String> IMAGE_KEYS = Set.of("idle_restore_minutes", "default_size", "default_steps");
    private static final List<String> SOUND_FORMATS = List.of("mp3", "wav", "opus", "flac", "pcm");
    private static final List<String> PROVIDERS =
            List.of("llama-server", "flm", "moonshine", "kokoro", "comfyui", "qwen3tts", "whisper-server", "starter");
    private static final Pattern SIZE = Pattern.compile("[1-9][0-9]{1,4}x[1-9][0-9]{1,4}");

    private SlotOptionsFormat() {}

    static SlotOptions read(SlotFields fields) {
        boolean imageTable = fields.isTable("image");
        // Older versions' ways to run a slot and keys that say nothing any more: accepted, so that a file that worked
        // does.
        fields.text("runtime");
        fields.bool("lru");
        fields.integer(1, 1024, "workers");
        fields.number(0, 1e12, "model", "rope_freq_base");
        return new SlotOptions(
                name(fields, "profile").map(SlotName::value),
                imageTable ? Optional.empty() : fields.text("image"),
                oneOf(fields, "provider", PROVIDERS),
                fields.bool("enable_thinking"),
                fields.bool("mtp"),
                fields.integer(0, 63, "gpu_index"),
                fields.text("chat_template").filter(template -> !template.equals("auto")),
                fields.bool(true, "vision"),
                fields.integer(0, 31_536_000, "idle_timeout_s").orElse(SlotOptions.IDLE_AFTER_SECONDS),
                extra(fields),
                fields.text("default_voice"),
                fields.number(0.25, 4.0, "default_speed"),
                oneOf(fields, "default_response_format", SOUND_FORMATS),
                npu(fields),
                imageTable ? images(fields) : SlotOptions.Images.DEFAULT,
                name(fields, "served_by"),
                fields.text("role"),
                fields.text("group"),
                fields.strings("labels"),
                fields.string("system_prompt").filter(prompt -> !prompt.isBlank()));
    }

    static void view(SlotOptions options, Map<String, Object> view) {
        view.put("profile", orNull(options.profile()));
        view.put("image", options.image().<Object>map(image -> image).orElseGet(() -> imageView(options.images())));
        view.put("provider", orNull(options.provider()));
        view.put("enable_thinking", orNull(options.thinking()));
        view.put("mtp", orNull(options.mtp()));
        view.put(
                "gpu_index", options.gpuIndex().isPresent() ? options.gpuIndex().getAsInt() : null);
        view.put("chat_template", orNull(options.chatTemplate()));
        view.put("vision", options.vision());
        view.put("idle_timeout_s", options.idleAfterSeconds());
        view.put("default_voice", orNull(options.voice()));
        view.put("default_speed", orNull(options.speed()));
        view.put("default_response_format", orNull(options.responseFormat()));
        view.put(
                "npu",
                Map.of(
                        "asr", options.npu().asr(),
                        "embed", options.npu().embed(),
                        "chat", options.npu().chat()));
        view.put("served_by", orNull(options.servedBy().map(SlotName::value)));
        view.put("role", orNull(options.role()));
        view.put("group", orNull(options.group()));
        view.put("labels", options.labels());
        view.put("system_prompt", orNull(options.systemPrompt()));
    }

    private static <T> @Nullable T orNull(Optional<T> value) {
        return value.orElse(null);
    }

    private static Map<String, Object> imageView(SlotOptions.Images images) {
        var view = new LinkedHashMap<String, Object>();
        view.put("idle_restore_minutes", images.idleRestoreMinutes());
        view.put("default_size", images.size());
        view.put("default_steps", images.steps());
        return view;
    }

    private static SlotOptions.Npu npu(SlotFields fields) {
        fields.requireOnlyKeys(List.of("npu"), NPU_KEYS);
        return new SlotOptions.Npu(
                fields.bool(false, "npu", "asr"), fields.bool(false, "npu", "embed"), fields.bool(true, "npu", "chat"));
    }

    private static SlotOptions.Images images(SlotFields fields) {
        fields.requireOnlyKeys(List.of("image"), IMAGE_KEYS);
        var otherwise = SlotOptions.Images.DEFAULT;
        String size = fields.text("image", "default_size").orElse(otherwise.size());
        if (!SIZE.matcher(size).matches()) {
            throw fields.invalid("image.default_size", "is '" + size + "'; it looks like 1024x1024");
        }
        return new SlotOptions.Images(
                fields.integer(0, 10_080, "image", "idle_restore_minutes").orElse(otherwise.idleRestoreMinutes()),
                size,
                fields.integer(0, 1_000, "image", "default_steps").orElse(otherwise.steps()));
    }

    @SuppressWarnings("unchecked") // TOML's keys are strings
    private static Map<String, Object> extra(SlotFields fields) {
        return fields.flat().values().get("model") instanceof Map<?, ?> model
                        && model.get("extra") instanceof Map<?, ?> extra
                ? (Map<String, Object>) extra
                : Map.of();
    }

    private static Optional<SlotName> name(SlotFields fields, String key) {
        return fields.text(key).map(name -> {
            if (!SlotName.isValid(name)) {
                throw fields.invalid(key, "is '" + name + "', which is no name");
            }
            return new SlotName(name);
        });
    }

    private static Optional<String> oneOf(SlotFields fields, String key, List<String> known) {
        Optional<String> given = fields.text(key);
        if (given.isPresent() && !known.contains(given.get())) {
            throw fields.invalid(key, "is '" + given.get() + "'; it can be " + known);
        }
        return given;
    }
}
