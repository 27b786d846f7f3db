package dev.hal0.slots;

import dev.hal0.kernel.SlotName;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What a slot's file may say beyond what every slot has.
 *
 * @param profile by name; empty for the one of its device and type
 * @param image in place of the profile's, where slots run in containers
 * @param provider a label of older files; selects nothing
 * @param thinking whether a model that can reason does so where a request does not say; empty for the model's own way
 * @param mtp whether several tokens are predicted at once; empty for what the profile says
 * @param gpuIndex the one GPU to use, from 0; empty for all
 * @param chatTemplate in place of the one in the model's file, by the engine's name for it
 * @param vision whether the model's projector is loaded where it has one
 * @param idleAfterSeconds without use after which it is shown as idle; 0 for never
 * @param modelExtra what belongs to other engines' models, kept and shown
 * @param voice, speed, responseFormat what speech requests get that do not say; speed 0.25 to 4
 * @param npu what the NPU's chat engine does beside chat
 * @param images what image requests get that do not say
 * @param servedBy the slot whose workload answers for this one, which has none of its own
 * @param role, group, labels, systemPrompt for those who show and choose slots
 */
public record SlotOptions(
        Optional<String> profile,
        Optional<String> image,
        Optional<String> provider,
        Optional<Boolean> thinking,
        Optional<Boolean> mtp,
        OptionalInt gpuIndex,
        Optional<String> chatTemplate,
        boolean vision,
        int idleAfterSeconds,
        Map<String, Object> modelExtra,
        Optional<String> voice,
        Optional<Double> speed,
        Optional<String> responseFormat,
        Npu npu,
        Images images,
        Optional<SlotName> servedBy,
        Optional<String> role,
        Optional<String> group,
        List<String> labels,
        Optional<String> systemPrompt) {
    static final int IDLE_AFTER_SECONDS = 300;

    /** @param asr speech recognition beside chat */
    public record Npu(boolean asr, boolean embed, boolean chat) {
        static final Npu DEFAULT = new Npu(false, false, true);
    }

    /**
     * @param idleRestoreMinutes unused for this long, image mode is left; 0 for never
     * @param size {@code WIDTHxHEIGHT}
     * @param steps 0 for the model's own number
     */
    public record Images(int idleRestoreMinutes, String size, int steps) {
        static final Images DEFAULT = new Images(60, "1024x1024", 0);
    }

    public static final SlotOptions DEFAULT = new SlotOptions(
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            OptionalInt.empty(),
            Optional.empty(),
            true,
            IDLE_AFTER_SECONDS,
            Map.of(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Npu.DEFAULT,
            Images.DEFAULT,
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            List.of(),
            Optional.empty());

    public SlotOptions {
        modelExtra = Map.copyOf(modelExtra);
        labels = List.copyOf(labels);
    }

    SlotOptions profile(Optional<String> name) {
        return with(name, servedBy);
    }

    SlotOptions servedBy(Optional<SlotName> anchor) {
        return with(profile, anchor);
    }

    private SlotOptions with(Optional<String> profile, Optional<SlotName> servedBy) {
        return new SlotOptions(
                profile,
                image,
                provider,
                thinking,
                mtp,
                gpuIndex,
                chatTemplate,
                vision,
                idleAfterSeconds,
                modelExtra,
                voice,
                speed,
                responseFormat,
                npu,
                images,
                servedBy,
                role,
                group,
                labels,
                systemPrompt);
    }
}
