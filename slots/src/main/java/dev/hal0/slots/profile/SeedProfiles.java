package dev.hal0.slots.profile;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The profiles that ship with this version. They are in no file, so an upgrade improves them; what a person changes of one
 * is kept as a difference. None of them asks for a number of threads: the engine counts the cores of this machine.
 */
final class SeedProfiles {
    private static final String LLAMA = "llama.cpp";
    private static final String GPU_FLAGS = "--flash-attn on --batch-size 512 --ubatch-size 512 --no-mmap";
    private static final String WHOLE_INPUT = "--batch-size 8192 --ubatch-size 8192";

    static final Map<String, Profile> ALL = all();

    private SeedProfiles() {}

    private static Map<String, Profile> all() {
        var seeds = new LinkedHashMap<String, Profile>();
        for (Profile seed : List.of(
                Profile.of("vulkan", LLAMA, ProfileClass.GPU, GPU_FLAGS, "Chat on any GPU with Vulkan.")
                        .on(GpuBackend.VULKAN, List.of()),
                Profile.of(
                                "rocm",
                                LLAMA,
                                ProfileClass.GPU,
                                GPU_FLAGS + " --cache-type-k q8_0 --cache-type-v q8_0",
                                "Chat on an AMD GPU; the context takes half the memory.")
                        .on(GpuBackend.ROCM, List.of()),
                Profile.of(
                                "rocm-mtp",
                                LLAMA,
                                ProfileClass.GPU,
                                "--flash-attn on --batch-size 8192 --ubatch-size 2048 --no-mmap"
                                        + " --cache-type-k q8_0 --cache-type-v q8_0",
                                "Chat on an AMD GPU with models that predict several tokens at once; the slot says `mtp = true`.")
                        .on(GpuBackend.ROCM, List.of())
                        .withMtp(),
                Profile.of("cuda", LLAMA, ProfileClass.GPU, GPU_FLAGS, "Chat on an NVIDIA GPU.")
                        .on(GpuBackend.CUDA, List.of("nvidia.com/gpu=all")),
                Profile.of(
                                "cpu-llm",
                                LLAMA,
                                ProfileClass.CPU,
                                "--batch-size 512 --ubatch-size 256",
                                "Chat on the processor alone.")
                        .withImage("cpu"),
                // These models read their input in one piece; a longer one is refused.
                Profile.of("embed", LLAMA, ProfileClass.ANY, WHOLE_INPUT, "Embeddings."),
                Profile.of("rerank", LLAMA, ProfileClass.ANY, WHOLE_INPUT, "Reranking."),
                Profile.of("flm", "flm", ProfileClass.NPU, "", "Chat, speech to text and embeddings on the NPU.")
                        .withImage("flm"),
                Profile.of("tts", "kokoro", ProfileClass.CPU, "", "Speech.").withImage("kokoro"),
                Profile.of("comfyui", "comfyui", ProfileClass.IMG, "--disable-mmap --bf16-vae --cache-none", "Images.")
                        .withImage("comfyui"))) {
            seeds.put(seed.name(), seed);
        }
        return seeds;
    }
}
