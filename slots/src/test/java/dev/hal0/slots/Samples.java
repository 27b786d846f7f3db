package dev.hal0.slots;

import dev.hal0.kernel.SlotName;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/** Small values for tests that are about something else. */
final class Samples {
    static final SlotName SLOT = new SlotName("chat");

    private Samples() {}

    static LaunchPlan plan(SlotName slot, String model) {
        return new LaunchPlan(
                slot,
                "fake",
                "fake-server",
                List.of("--model", model),
                Map.of("LANG", "C", "HOME", "/nowhere"),
                List.of(),
                Path.of("/nowhere", slot.value(), "engine.key"),
                model,
                "127.0.0.1",
                8081,
                2,
                Map.of("n_ctx", "4096", "model", model));
    }

    static LoadRequest load(String model, String nonce) {
        return new LoadRequest(
                plan(SLOT, model), nonce, true, true, false, OptionalLong.empty(), CauseCode.OPERATOR_LOAD);
    }
}
