package dev.hal0.slots;

import dev.hal0.kernel.Hal0Exception;
import dev.hal0.models.RegisteredModel;
import dev.hal0.slots.profile.Profile;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * A family of inference servers: its protocol, not its life. Implementations are stateless and thread-safe; calls that talk
 * to an engine block for at most a few seconds and never throw for an engine that is merely absent.
 */
public interface Engine {
    /** Such as {@code llama.cpp}; what {@link RegisteredModel#engines()} names. */
    String family();

    /**
     * The launch plan of a slot: pure, so that preview and launch agree.
     *
     * @param profile its flags lie below the slot's own fields; only those of this family count
     * @param keyFile where the launch's key will be
     * @throws dev.hal0.kernel.Hal0Exception {@code slot.config_error} or {@code slot.managed_arg_denied} with the key's path
     */
    LaunchPlan plan(SlotDefinition definition, Profile profile, RegisteredModel model, Path keyFile);

    /**
     * @param source the key they stand under
     * @throws dev.hal0.kernel.Hal0Exception for flags that hal0 must own or that are no flags, with {@code source} as param
     */
    default void checkFlags(String source, String flags) {}

    /**
     * Memory that a workload of this plan is expected to hold, from the model's file; empty if that cannot be told. Reads
     * the file's header; never throws for a file that cannot be read.
     */
    default OptionalLong needBytes(LaunchPlan plan, RegisteredModel model) {
        return OptionalLong.empty();
    }

    /** One question, deadline 3 s. */
    Health health(Endpoint endpoint);

    /**
     * Compares what the engine runs with to {@link LaunchPlan#expected()}, once, before the slot becomes ready.
     *
     * @return one sentence per difference; empty when everything is as planned
     */
    List<String> verify(LaunchPlan plan, Endpoint endpoint);

    /** How many requests the engine itself says it is working on; empty when it cannot say. Deadline 1 s. */
    OptionalInt busy(Endpoint endpoint);

    /** Whether {@link #progress} means anything for this family. */
    default boolean countsProgress() {
        return false;
    }

    /** A word that changes whenever the engine gets on with its work; empty when it does not say. Deadline 1 s. */
    default Optional<String> progress(Endpoint endpoint) {
        return Optional.empty();
    }

    /** The engine's path for one of the gateway's, such as {@code /v1/chat/completions}; empty where it has none. */
    Optional<String> path(String gatewayPath);

    /**
     * Whether a stream of that path says what it used only when it is asked to, by {@code stream_options.include_usage}, and
     * then in an event of its own. False for an engine that says it anyway, and for one that would refuse the question.
     */
    default boolean includesUsage(String gatewayPath) {
        return false;
    }

    /** What it works on, one for each request inside; empty when it does not say. Deadline 1 s. */
    default List<EngineTask> tasks(Endpoint endpoint) {
        return List.of();
    }

    /** What this engine needs of a form that was sent to one of the gateway's paths. */
    default FormRules form(String gatewayPath) {
        return FormRules.NONE;
    }

    /** The content type that a client should see for the one that the engine sent; usually the same. */
    default String contentType(String sent) {
        return sent;
    }

    /**
     * What a refusal by the engine means, where hal0 knows it better than the engine says it; empty to pass on its own words.
     *
     * @param body the beginning of its answer
     */
    default Optional<Hal0Exception> explain(String gatewayPath, int status, String body) {
        return Optional.empty();
    }

    CancelRule cancelRule();

    /** What the engine reports about itself, for display; empty when it does not answer. Deadline 1 s. */
    Map<String, Object> describe(Endpoint endpoint);
}
