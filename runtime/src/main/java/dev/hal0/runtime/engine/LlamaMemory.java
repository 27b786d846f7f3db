package dev.hal0.runtime.engine;

import dev.hal0.kernel.Hal0Exception;
import dev.hal0.models.CacheType;
import dev.hal0.models.FitRequest;
import dev.hal0.models.GgufReader;
import dev.hal0.models.MemoryNeed;
import dev.hal0.models.ModelFit;
import dev.hal0.models.ModelShape;
import dev.hal0.slots.LaunchPlan;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What llama-server will hold when it is started with a plan. The plan's own arguments count, extra ones included. */
final class LlamaMemory {
    private static final Logger log = LoggerFactory.getLogger(LlamaMemory.class);

    private LlamaMemory() {}

    static OptionalLong need(LaunchPlan plan, Path model, long sizeBytes) {
        try {
            ModelShape shape = new GgufReader().read(model).shape().withWeights(sizeBytes);
            Optional<String> projector = value(plan.arguments(), "--mmproj");
            if (projector.isPresent()) {
                shape = shape.withProjector(Files.size(Path.of(projector.get())));
            }
            Optional<MemoryNeed> need =
                    ModelFit.need(shape, request(plan.arguments()).withVision(projector.isPresent()));
            return need.isPresent() ? OptionalLong.of(need.get().total()) : OptionalLong.empty();
        } catch (Hal0Exception | IllegalArgumentException | IOException unreadable) {
            log.debug("{} says nothing about its memory: {}", model, unreadable.getMessage());
            return OptionalLong.empty();
        }
    }

    /** {@code --ctx-size} is for all requests together. */
    static FitRequest request(List<String> arguments) {
        int parallel = integer(arguments, "--parallel", 1);
        int context = integer(arguments, "--ctx-size", LlamaCppEngine.UNKNOWN_CONTEXT);
        return FitRequest.of(Math.max(1, context / parallel))
                .withParallel(parallel)
                .withUbatch(integer(arguments, "--ubatch-size", FitRequest.DEFAULT_UBATCH))
                .withCache(cache(arguments, "--cache-type-k"), cache(arguments, "--cache-type-v"))
                .withFlashAttention(!value(arguments, "--flash-attn").orElse("").equals("off"))
                .withGpuLayers(!value(arguments, "--n-gpu-layers").orElse("").equals("0"));
    }

    private static CacheType cache(List<String> arguments, String flag) {
        return value(arguments, flag).flatMap(CacheType::named).orElse(CacheType.F16);
    }

    private static int integer(List<String> arguments, String flag, int otherwise) {
        try {
            return Math.max(1, value(arguments, flag).map(Integer::parseInt).orElse(otherwise));
        } catch (NumberFormatException notANumber) {
            return otherwise;
        }
    }

    private static Optional<String> value(List<String> arguments, String flag) {
        int at = arguments.lastIndexOf(flag);
        return at < 0 || at + 1 >= arguments.size() ? Optional.empty() : Optional.of(arguments.get(at + 1));
    }
}
