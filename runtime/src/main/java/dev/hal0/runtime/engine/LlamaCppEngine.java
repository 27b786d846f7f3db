package dev.hal0.runtime.engine;

import dev.hal0.kernel.DeviceClass;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.models.RegisteredModel;
import dev.hal0.slots.CancelRule;
import dev.hal0.slots.ContainerFacts;
import dev.hal0.slots.Device;
import dev.hal0.slots.Endpoint;
import dev.hal0.slots.Engine;
import dev.hal0.slots.EngineTask;
import dev.hal0.slots.Health;
import dev.hal0.slots.LaunchPlan;
import dev.hal0.slots.SlotDefinition;
import dev.hal0.slots.SlotOptions;
import dev.hal0.slots.SlotType;
import dev.hal0.slots.profile.Profile;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import tools.jackson.databind.JsonNode;

/**
 * llama.cpp's {@code llama-server}. Figures and behaviour were observed with version 0.7.0 (build 11669): {@code --ctx-size}
 * is divided over {@code --parallel} and each share is rounded up to a multiple of 256; {@code /health} needs no key,
 * everything else does.
 */
public final class LlamaCppEngine implements Engine {
    public static final String FAMILY = "llama.cpp";

    /** Largest window that is taken from a model without being asked: more costs memory that few conversations use. */
    static final int MOST_DEFAULT_CONTEXT = 32_768;

    /** For a model that does not say; the engine's own silent 4096 is never reached. */
    static final int UNKNOWN_CONTEXT = 8_192;

    private static final String PROMPT_CACHE_MIB = "1024";

    private static final Duration SHORT = Duration.ofSeconds(1);
    private static final Duration VERIFY = Duration.ofSeconds(5);

    /** What a slot says in fields of its own, so that a profile cannot say it behind their back. */
    private static final Map<String, String> SLOT_FIELDS = new TreeMap<>(Map.of(
            "--ctx-size", "model.context_size",
            "--parallel", "parallel",
            "--n-gpu-layers", "model.n_gpu_layers",
            "--device", "device",
            "--mmproj", "vision"));

    /** Prediction of several tokens at once by heads of the model's own; the engine refuses a model without them. */
    private static final Map<String, String> MTP = Map.of("--spec-type", "draft-mtp");

    /** The gateway's paths that llama-server speaks itself, under the same names. */
    private static final Set<String> PATHS = Set.of(
            "/v1/chat/completions",
            "/v1/completions",
            "/v1/responses",
            "/v1/messages",
            "/v1/messages/count_tokens",
            "/v1/embeddings",
            "/v1/rerank",
            "/infill",
            "/tokenize",
            "/detokenize",
            "/props");

    @Override
    public String family() {
        return FAMILY;
    }

    @Override
    public LaunchPlan plan(SlotDefinition definition, Profile profile, RegisteredModel model, Path keyFile) {
        Path file = model.path()
                .orElseThrow(() -> new Hal0Exception(
                                ErrorCode.SLOT_CONFIG_ERROR,
                                "Model " + model.id() + " has no file that llama.cpp could read.")
                        .withParam("model.default"));
        int context = contextPerRequest(definition, model);
        var arguments = LlamaArguments.empty()
                .set("--host", "127.0.0.1")
                .setFrom("port", "--port", Integer.toString(definition.port()))
                .setFrom("model.default", "--model", file.toString())
                .setFrom("model.default", "--alias", model.id())
                .set("--api-key-file", keyFile.toString())
                .set("--fit", "off")
                .set("--no-ui")
                .set("--slots")
                .set("--metrics")
                .set("--offline")
                .set("--log-colors", "off")
                .setFrom(
                        definition.contextSize().isPresent() ? "model.context_size" : "model",
                        "--ctx-size",
                        Integer.toString(Math.multiplyExact(context, definition.parallel())))
                .setFrom("parallel", "--parallel", Integer.toString(definition.parallel()));
        if (profile.engine().equals(FAMILY)) {
            arguments.addBeneath("profile:" + profile.name(), profile.flags());
        }
        device(definition, arguments);
        purpose(definition, arguments);
        options(definition, arguments);
        // Prompts that were answered before, kept in main memory: by its own choice the engine would take up to 8 GiB.
        if (!arguments.has("--cache-ram")) {
            arguments.set("--cache-ram", definition.type() == SlotType.LLM ? PROMPT_CACHE_MIB : "0");
        }
        List<Path> files = new ArrayList<>(List.of(file));
        if (definition.type() == SlotType.LLM) {
            model.details()
                    .mmproj()
                    .filter(any -> definition.options().vision())
                    .ifPresent(projector -> {
                        arguments.setFrom("model", "--mmproj", projector.toString());
                        files.add(projector);
                    });
        }
        arguments.addExtra("server.extra_args", definition.extraArguments());

        int parallel = Math.max(1, arguments.integer("--parallel", definition.parallel()));
        int total = arguments.integer("--ctx-size", context * definition.parallel());
        return new LaunchPlan(
                        definition.name(),
                        FAMILY,
                        "llama-server",
                        arguments.list(),
                        environment(definition),
                        files,
                        keyFile,
                        model.id(),
                        "127.0.0.1",
                        definition.port(),
                        parallel,
                        Map.of(
                                "model_alias", model.id(),
                                "model_path", file.toString(),
                                "total_slots", Integer.toString(parallel),
                                "n_ctx", Integer.toString(total / parallel)),
                        arguments.sources())
                .withContainer(container(definition.device()));
    }

    private static ContainerFacts container(Device device) {
        return switch (device) {
            case GPU_ROCM -> ContainerFacts.sealed("rocm", DeviceClass.KFD, "--host");
            case GPU_VULKAN -> ContainerFacts.sealed("vulkan", DeviceClass.DRI, "--host");
            case GPU_CUDA -> ContainerFacts.sealed("cuda", DeviceClass.NVIDIA, "--host");
            // llama.cpp knows no NPU: a slot that names one computes on the CPU.
            case CPU, NPU -> ContainerFacts.sealed("cpu", DeviceClass.NONE, "--host");
        };
    }

    @Override
    public OptionalLong needBytes(LaunchPlan plan, RegisteredModel model) {
        return model.path()
                .map(path -> LlamaMemory.need(plan, path, model.sizeBytes()))
                .orElseGet(OptionalLong::empty);
    }

    private static void device(SlotDefinition definition, EngineArguments arguments) {
        if (definition.device() == Device.CPU) {
            arguments.setFrom("device", "--n-gpu-layers", "0").setFrom("device", "--device", "none");
        } else if (definition.gpuLayers() >= 0) {
            arguments.setFrom("model.n_gpu_layers", "--n-gpu-layers", Integer.toString(definition.gpuLayers()));
        } else {
            arguments.setFrom("device", "--n-gpu-layers", "all");
        }
    }

    @Override
    public void checkFlags(String source, String flags) {
        var given = LlamaArguments.empty().addExtra(source, flags);
        for (Map.Entry<String, String> field : SLOT_FIELDS.entrySet()) {
            if (given.has(field.getKey())) {
                throw new Hal0Exception(
                                ErrorCode.SLOT_MANAGED_ARGUMENT,
                                "`" + source + "` sets " + field.getKey() + ", which is the slot's: use `"
                                        + field.getValue() + "` there.")
                        .withParam(source)
                        .withDetail("flag", field.getKey());
            }
        }
    }

    private static void options(SlotDefinition definition, EngineArguments arguments) {
        SlotOptions options = definition.options();
        options.chatTemplate().ifPresent(name -> arguments.setFrom("chat_template", "--chat-template", name));
        options.thinking()
                .ifPresent(thinking -> arguments.setFrom("enable_thinking", "--reasoning", thinking ? "on" : "off"));
        options.mtp()
                .filter(wanted -> wanted)
                .ifPresent(wanted -> MTP.forEach((flag, value) -> arguments.setFrom("mtp", flag, value)));
    }

    /** The one GPU to be seen; a person's own variable wins. */
    private static Map<String, String> environment(SlotDefinition definition) {
        var variables = new LinkedHashMap<String, String>();
        definition.options().gpuIndex().ifPresent(index -> {
            String name = switch (definition.device()) {
                case GPU_ROCM -> "HIP_VISIBLE_DEVICES";
                case GPU_VULKAN -> "GGML_VK_VISIBLE_DEVICES";
                case GPU_CUDA -> "CUDA_VISIBLE_DEVICES";
                case CPU, NPU -> "";
            };
            if (!name.isEmpty()) {
                variables.put(name, Integer.toString(index));
            }
        });
        variables.putAll(definition.environment());
        return variables;
    }

    /** An embedding or reranking server without its mode refuses its only endpoint while its health is green. */
    private static void purpose(SlotDefinition definition, EngineArguments arguments) {
        switch (definition.type()) {
            case LLM -> {
                if (!arguments.has("--no-jinja")) {
                    arguments.setFrom("type", "--jinja");
                }
            }
            case EMBEDDING -> arguments.setFrom("type", "--embeddings");
            case RERANKING -> arguments.setFrom("type", "--reranking");
            case TRANSCRIPTION, TTS, IMAGE ->
                throw new Hal0Exception(
                                ErrorCode.SLOT_CONFIG_ERROR,
                                "llama.cpp cannot serve a slot of type "
                                        + definition.type().label() + ".")
                        .withParam("type");
        }
    }

    private static int contextPerRequest(SlotDefinition definition, RegisteredModel model) {
        if (definition.contextSize().isPresent()) {
            return definition.contextSize().getAsInt();
        }
        return model.contextLength() > 0 ? Math.min(model.contextLength(), MOST_DEFAULT_CONTEXT) : UNKNOWN_CONTEXT;
    }

    @Override
    public Health health(Endpoint endpoint) {
        return HttpHealth.ask(endpoint);
    }

    @Override
    public List<String> verify(LaunchPlan plan, Endpoint endpoint) {
        Optional<JsonNode> answer = ask(endpoint, "/props", VERIFY);
        if (answer.isEmpty()) {
            return List.of("it does not answer /props, so nothing can be compared");
        }
        JsonNode props = answer.get();
        var differences = new ArrayList<String>();
        compare(differences, plan, "model_alias", props.path("model_alias").asString(""));
        compare(differences, plan, "model_path", props.path("model_path").asString(""));
        compare(differences, plan, "total_slots", props.path("total_slots").asString(""));
        int context = props.path("default_generation_settings").path("n_ctx").asInt(0);
        int asked = Integer.parseInt(plan.expected().getOrDefault("n_ctx", "0"));
        if (context < asked) {
            differences.add("n_ctx is " + context + " and should be " + asked);
        }
        unknownTemplate(plan, props).ifPresent(differences::add);
        return differences;
    }

    /** A name that this engine does not know becomes the template itself: every prompt would be that word. */
    private static Optional<String> unknownTemplate(LaunchPlan plan, JsonNode props) {
        String used = props.path("chat_template").asString("");
        int flag = plan.arguments().indexOf("--chat-template");
        boolean isTheName = flag >= 0
                && flag + 1 < plan.arguments().size()
                && plan.arguments().get(flag + 1).equals(used);
        return isTheName && !used.contains("{")
                ? Optional.of("it knows no chat template '" + used + "' and would send that word as every prompt")
                : Optional.empty();
    }

    private static void compare(List<String> differences, LaunchPlan plan, String key, String actual) {
        String wanted = plan.expected().getOrDefault(key, "");
        if (!wanted.equals(actual)) {
            differences.add(key + " is '" + actual + "' and should be '" + wanted + "'");
        }
    }

    @Override
    public OptionalInt busy(Endpoint endpoint) {
        Optional<JsonNode> answer = ask(endpoint, "/slots", SHORT);
        if (answer.isEmpty() || !answer.get().isArray()) {
            return OptionalInt.empty();
        }
        int busy = 0;
        for (JsonNode slot : answer.get()) {
            busy += slot.path("is_processing").asBoolean(false) ? 1 : 0;
        }
        return OptionalInt.of(busy);
    }

    @Override
    public boolean countsProgress() {
        return true;
    }

    /** What the engine has read and written of each of its tasks; seen to change with every token of version 0.7.0. */
    @Override
    public Optional<String> progress(Endpoint endpoint) {
        Optional<JsonNode> answer = ask(endpoint, "/slots", SHORT);
        if (answer.isEmpty() || !answer.get().isArray()) {
            return Optional.empty();
        }
        var counters = new StringBuilder();
        for (JsonNode slot : answer.get()) {
            counters.append(counters.isEmpty() ? "" : ", ")
                    .append(slot.path("is_processing").asBoolean(false) ? "task " : "idle after ")
                    .append(slot.path("id_task").asInt(-1))
                    .append(": read ")
                    .append(slot.path("n_prompt_tokens_processed").asInt(0))
                    .append(" wrote ")
                    .append(slot.path("next_token").path(0).path("n_decoded").asInt(0));
        }
        return Optional.of(counters.toString());
    }

    @Override
    public List<EngineTask> tasks(Endpoint endpoint) {
        Optional<JsonNode> answer = ask(endpoint, "/slots", SHORT);
        if (answer.isEmpty() || !answer.get().isArray()) {
            return List.of();
        }
        var tasks = new ArrayList<EngineTask>();
        for (JsonNode slot : answer.get()) {
            if (slot.path("is_processing").asBoolean(false)) {
                long cached = slot.path("n_prompt_tokens_cache").asLong(0);
                tasks.add(new EngineTask(
                        slot.path("n_prompt_tokens").asLong(0),
                        cached + slot.path("n_prompt_tokens_processed").asLong(0),
                        slot.path("next_token").path(0).path("n_decoded").asLong(0)));
            }
        }
        return tasks;
    }

    @Override
    public Optional<String> path(String gatewayPath) {
        return Optional.of(gatewayPath).filter(PATHS::contains);
    }

    /**
     * Never asked: its last event of content carries {@code timings}, with all counts, unasked. When it is asked it moves them
     * into the usage event, which would be taken out again, and clients that show them would lose them.
     */
    @Override
    public boolean includesUsage(String gatewayPath) {
        return false;
    }

    @Override
    public CancelRule cancelRule() {
        return CancelRule.ON_DISCONNECT;
    }

    @Override
    public Map<String, Object> describe(Endpoint endpoint) {
        var description = new LinkedHashMap<String, Object>();
        ask(endpoint, "/props", SHORT).ifPresent(props -> {
            description.put("build", props.path("build_info").asString(""));
            description.put(
                    "context",
                    props.path("default_generation_settings").path("n_ctx").asInt(0));
            description.put("slots", props.path("total_slots").asInt(0));
        });
        return description;
    }

    private static Optional<JsonNode> ask(Endpoint endpoint, String path, Duration deadline) {
        try {
            EngineHttp.Reply reply = EngineHttp.get(endpoint, path, deadline);
            return reply.status() == 200 ? reply.body() : Optional.empty();
        } catch (IOException silent) {
            return Optional.empty();
        }
    }
}
