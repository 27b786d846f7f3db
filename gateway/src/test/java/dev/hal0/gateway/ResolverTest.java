package dev.hal0.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.SlotName;
import dev.hal0.slots.AdmissionQueue;
import dev.hal0.slots.Endpoint;
import dev.hal0.slots.Gate;
import dev.hal0.slots.Incarnation;
import dev.hal0.slots.Route;
import dev.hal0.slots.RoutingSnapshot;
import dev.hal0.slots.SlotState;
import dev.hal0.slots.SlotType;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ResolverTest {
    /** name, type, model, flags: d default, x disabled, r ready. */
    private static final RoutingSnapshot BOX = new RoutingSnapshot(List.of(
            route("chat", SlotType.LLM, "qwen", "d"),
            route("big", SlotType.LLM, "llama", ""),
            route("big-2", SlotType.LLM, "llama", "r"),
            route("off", SlotType.LLM, "gemma", "x"),
            route("empty", SlotType.LLM, "", ""),
            route("llama-3", SlotType.LLM, "phi", ""),
            route("embed", SlotType.EMBEDDING, "minilm", ""),
            route("both", SlotType.EMBEDDING, "llama", "r")));

    @ParameterizedTest
    @CsvSource({
        "chat, LLM, chat",
        "qwen, LLM, chat",
        "slot:chat, LLM, chat",
        "llama, LLM, big-2",
        "big, LLM, big",
        "llama-3, LLM, llama-3",
        "phi, LLM, llama-3",
        "llama, EMBEDDING, both",
        "minilm, EMBEDDING, embed",
        "embed, EMBEDDING, embed",
        ", LLM, chat",
    })
    void name_leadsToItsSlot(String model, SlotType type, String slot) {
        assertThat(Resolver.resolve(BOX, type, Optional.ofNullable(model)).slot())
                .isEqualTo(new SlotName(slot));
    }

    @ParameterizedTest
    @CsvSource({
        "nothing, LLM, DISPATCH_NO_ROUTE",
        "qwe, LLM, DISPATCH_NO_ROUTE",
        "QWEN, LLM, DISPATCH_NO_ROUTE",
        "slot:qwen, LLM, DISPATCH_NO_ROUTE",
        "gemma, LLM, DISPATCH_NO_ROUTE",
        "../chat, LLM, DISPATCH_NO_ROUTE",
        "off, LLM, SLOT_DISABLED",
        "empty, LLM, SLOT_NO_MODEL",
        "embed, LLM, MODEL_CAPABILITY_MISMATCH",
        "minilm, LLM, MODEL_CAPABILITY_MISMATCH",
        "chat, EMBEDDING, MODEL_CAPABILITY_MISMATCH",
        ", EMBEDDING, DISPATCH_MODEL_REQUIRED",
        ", RERANKING, DISPATCH_MODEL_REQUIRED",
    })
    void nameThatServesNothing_isRefusedWithTheField(String model, SlotType type, ErrorCode code) {
        assertThatThrownBy(() -> Resolver.resolve(BOX, type, Optional.ofNullable(model)))
                .isInstanceOfSatisfying(Hal0Exception.class, refused -> {
                    assertThat(refused.code()).isEqualTo(code);
                    assertThat(refused.param()).contains("model");
                });
    }

    @Test
    void unknownName_getsWhatExists() {
        assertThatThrownBy(() -> Resolver.resolve(BOX, SlotType.LLM, Optional.of("qwem")))
                .hasMessageContaining("qwen")
                .isInstanceOfSatisfying(
                        Hal0Exception.class,
                        refused -> assertThat(refused.details())
                                .containsEntry(
                                        "available",
                                        List.of(
                                                "big", "big-2", "both", "chat", "embed", "empty", "llama", "llama-3",
                                                "minilm", "phi", "qwen")));
    }

    @Test
    void endlessName_isNotRepeatedWhole() {
        assertThatThrownBy(() -> Resolver.resolve(BOX, SlotType.LLM, Optional.of("x".repeat(100_000))))
                .satisfies(refused -> assertThat(refused.getMessage()).hasSizeLessThan(1000));
    }

    @Test
    void emptyBox_refuses() {
        assertThatThrownBy(() -> Resolver.resolve(RoutingSnapshot.EMPTY, SlotType.LLM, Optional.empty()))
                .hasMessageContaining("none");
        assertThatThrownBy(() -> Resolver.resolve(RoutingSnapshot.EMPTY, SlotType.LLM, Optional.of("chat")))
                .isInstanceOf(Hal0Exception.class);
    }

    @Test
    void onlySlotOfAType_needsNoName() {
        var box = new RoutingSnapshot(List.of(route("embed", SlotType.EMBEDDING, "minilm", "")));

        assertThat(Resolver.resolve(box, SlotType.EMBEDDING, Optional.empty()).slot())
                .isEqualTo(new SlotName("embed"));
    }

    @Test
    void disabledSlot_makesTheOnlyOtherOneNotAmbiguous() {
        var box = new RoutingSnapshot(List.of(
                route("embed", SlotType.EMBEDDING, "minilm", "x"), route("embed-2", SlotType.EMBEDDING, "bge", "")));

        assertThat(Resolver.resolve(box, SlotType.EMBEDDING, Optional.empty()).slot())
                .isEqualTo(new SlotName("embed-2"));
    }

    @Test
    void onlySlotDisabled_isSaid() {
        var box = new RoutingSnapshot(List.of(route("embed", SlotType.EMBEDDING, "minilm", "x")));

        assertThatThrownBy(() -> Resolver.resolve(box, SlotType.EMBEDDING, Optional.empty()))
                .isInstanceOfSatisfying(
                        Hal0Exception.class,
                        refused -> assertThat(refused.code()).isEqualTo(ErrorCode.SLOT_DISABLED));
    }

    private static Route route(String name, SlotType type, String model, String flags) {
        boolean ready = flags.contains("r");
        return new Route(
                new SlotName(name),
                type,
                !flags.contains("x"),
                flags.contains("d"),
                Optional.of(model).filter(id -> !id.isEmpty()),
                0,
                ready ? SlotState.READY : SlotState.OFFLINE,
                new AdmissionQueue(new Gate()),
                ready
                        ? Optional.of(new Route.Target(
                                new Incarnation(name), new Endpoint("127.0.0.1", 1, ""), new NoEngine()))
                        : Optional.empty());
    }
}
