package dev.hal0.gateway;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.hal0.kernel.ErrorEnvelope;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where a request would go, without sending it.
 *
 * @param model as it was asked for; null for none
 * @param slot null where nothing serves it
 * @param resolvedBy {@code slot}, {@code model}, {@code virtual}, {@code default} or {@code unknown-to-default}; null as above
 * @param servedModel what runs there, or would be loaded
 * @param wouldLoad whether the request would have to wait for a load
 * @param enginePath what the engine would be asked; null where that is known only when it runs
 * @param reasons in the order in which they count
 * @param error what the client would be told; null where it is served
 */
public record RouteExplanation(
        String path,
        @Nullable String model,
        @Nullable String slot,
        @JsonProperty("resolved_by") @Nullable String resolvedBy,
        @JsonProperty("served_model") @Nullable String servedModel,
        @Nullable String state,
        @JsonProperty("would_load") boolean wouldLoad,
        @JsonProperty("engine_path") @Nullable String enginePath,
        List<String> reasons,
        ErrorEnvelope.@Nullable Body error) {}
