package dev.hal0.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.models.ModelCapability;
import dev.hal0.models.RegisteredModel;
import dev.hal0.slots.Route;
import dev.hal0.slots.RoutingSnapshot;
import dev.hal0.slots.SlotType;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ResolverTest {
    private final TestingSlotControl slots = new TestingSlotControl();

    private static final List<RegisteredModel> NO_MODELS = List.of();

    private void aBox() {
        slots.add("chat", SlotType.LLM).model("tiny").byDefault().ready();
        slots.add("coder", SlotType.LLM).model("org/coder:7b");
        slots.add("spare", SlotType.LLM).model("twice");
        slots.add("second", SlotType.LLM).model("twice").ready();
        slots.add("broken", SlotType.LLM).model("thrice").error();
        slots.add("cold", SlotType.LLM).model("thrice");
        slots.add("named", SlotType.LLM).model("chat-of-someone");
        slots.add("off", SlotType.LLM).model("sleeping").enabled(false);
        slots.add("bare", SlotType.LLM).model(null);
        slots.add("embed", SlotType.EMBEDDING).model("minilm").byDefault().ready();
    }

    private Route resolve(SlotType type, @Nullable String name) {
        return Resolver.resolve(slots.routes(), NO_MODELS, List.of(type), Optional.ofNullable(name), false)
                .route();
    }

    private Hal0Exception refused(SlotType type, @Nullable String name, RegisteredModel... models) {
        RoutingSnapshot routes = slots.routes();
        return catchThrowableOfType(
                Hal0Exception.class,
                () -> Resolver.resolve(routes, List.of(models), List.of(type), Optional.ofNullable(name), false));
    }

    @ParameterizedTest(name = "{0} {1} -> {2}")
    @CsvSource({
        "LLM, chat, chat",
        "LLM, slot:chat, chat",
        "LLM, slot:coder, coder",
        "LLM, tiny, chat",
        "LLM, org/coder:7b, coder",
        "LLM, twice, second",
        "LLM, thrice, cold",
        "LLM, , chat",
        "EMBEDDING, , embed",
        "EMBEDDING, minilm, embed",
        "EMBEDDING, embed, embed",
        "LLM, hal0/auto, chat",
        "EMBEDDING, hal0/auto, embed",
        "LLM, hal0/coder, coder",
        "LLM, hal0/agent, chat",
        "LLM, hal0/primary, chat",
    })
    void name_findsItsSlot(SlotType type, String name, String slot) {
        aBox();
        assertThat(resolve(type, name).slot().value()).isEqualTo(slot);
    }

    @ParameterizedTest(name = "{0} {1} -> {2}")
    @CsvSource({
        "LLM, tin, DISPATCH_NO_ROUTE",
        "LLM, tiny-instruct, DISPATCH_NO_ROUTE",
        "LLM, Tiny, DISPATCH_NO_ROUTE",
        "LLM, coder:7b, DISPATCH_NO_ROUTE",
        "LLM, gpt-4o, DISPATCH_NO_ROUTE",
        "LLM, embed-something, DISPATCH_NO_ROUTE",
        "LLM, slot:tiny, DISPATCH_NO_ROUTE",
        "LLM, slot:, DISPATCH_NO_ROUTE",
        "LLM, slot:../x, DISPATCH_NO_ROUTE",
        "LLM, hal0/nobody, DISPATCH_NO_ROUTE",
        "LLM, hal0/, DISPATCH_NO_ROUTE",
        "LLM, hal0/embed, MODEL_CAPABILITY_MISMATCH",
        "LLM, off, SLOT_DISABLED",
        "LLM, sleeping, SLOT_DISABLED",
        "LLM, bare, SLOT_NO_MODEL",
        "LLM, embed, MODEL_CAPABILITY_MISMATCH",
        "LLM, minilm, MODEL_CAPABILITY_MISMATCH",
        "EMBEDDING, chat, MODEL_CAPABILITY_MISMATCH",
        "EMBEDDING, off, MODEL_CAPABILITY_MISMATCH",
        "RERANKING, , DISPATCH_MODEL_REQUIRED",
    })
    void nameThatCannotServe_isRefusedWithItsReason(SlotType type, String name, ErrorCode code) {
        aBox();
        assertThat(refused(type, name).code()).isEqualTo(code);
        assertThat(refused(type, name).param()).contains("model");
    }

    /** Somebody wants any answer rather than to wait: what is ready comes before what is the default. */
    @Test
    void auto_prefersWhatIsReady() {
        slots.add("main", SlotType.LLM).model("big").byDefault();
        slots.add("second", SlotType.LLM).model("small").ready();
        assertThat(resolve(SlotType.LLM, "hal0/auto").slot().value()).isEqualTo("second");
    }

    /** A known model that nobody has loaded must never become another one, however lenient the box is. */
    @Test
    void registeredModelWithoutASlot_isNotTakenForAnUnknownName() {
        aBox();
        RoutingSnapshot routes = slots.routes();
        var registered = List.of(GatewayBox.registered("unbound", dev.hal0.models.ModelCapability.CHAT));
        assertThat(catchThrowableOfType(
                                Hal0Exception.class,
                                () -> Resolver.resolve(
                                        routes, registered, List.of(SlotType.LLM), Optional.of("unbound"), true))
                        .code())
                .isEqualTo(ErrorCode.DISPATCH_NO_ROUTE);
    }

    @Test
    void misspeltName_getsAHintAndTheList() {
        aBox();
        Hal0Exception refused = refused(SlotType.LLM, "chta");

        assertThat(refused.message()).contains("Did you mean 'chat'?", "Available: ", "org/coder:7b", "embed");
        assertThat(refused.details()).containsEntry("did_you_mean", "chat").containsKey("available");
        assertThat(refused.message()).doesNotContain("off", "bare");
    }

    @Test
    void slotNameThatIsAlsoAModelsId_meansTheSlot() {
        slots.add("one", SlotType.LLM).model("two");
        slots.add("two", SlotType.LLM).model("three");

        assertThat(resolve(SlotType.LLM, "two").slot().value()).isEqualTo("two");
    }

    @Test
    void onlySlotOfItsType_needsNoName() {
        slots.add("chat", SlotType.LLM).model("tiny");

        assertThat(resolve(SlotType.LLM, null).slot().value()).isEqualTo("chat");
    }

    @Test
    void severalSlotsWithoutADefault_needAName() {
        slots.add("one", SlotType.LLM).model("a");
        slots.add("two", SlotType.LLM).model("b");

        Hal0Exception refused = refused(SlotType.LLM, null);
        assertThat(refused.code()).isEqualTo(ErrorCode.DISPATCH_MODEL_REQUIRED);
        assertThat(refused.message()).contains("one, two");
    }

    @Test
    void emptyBox_namesTheTwoCommands() {
        slots.add("chat", SlotType.LLM).model(null).byDefault();

        for (@Nullable String name : new @Nullable String[] {null, "chat", "gpt-4o"}) {
            assertThat(refused(SlotType.LLM, name).message())
                    .contains("`hal0 model add FILE.gguf`", "`hal0 slot load chat --model ID`");
        }
        assertThat(refused(SlotType.LLM, "chat").code()).isEqualTo(ErrorCode.SLOT_NO_MODEL);
        assertThat(refused(SlotType.LLM, "gpt-4o").code()).isEqualTo(ErrorCode.DISPATCH_NO_ROUTE);
    }

    @Test
    void boxWithARegisteredModel_namesTheOneCommand() {
        slots.add("chat", SlotType.LLM).model(null).byDefault();
        RegisteredModel tiny = GatewayBox.registered("tiny", ModelCapability.CHAT);
        RegisteredModel minilm = GatewayBox.registered("minilm", ModelCapability.EMBEDDING);

        for (@Nullable String name : new @Nullable String[] {null, "gpt-4o", "tiny"}) {
            assertThat(refused(SlotType.LLM, name, minilm, tiny).message())
                    .contains("`hal0 slot load chat --model tiny`")
                    .doesNotContain("model add");
        }
    }

    @Test
    void registeredModelWithoutASlot_namesTheSlotThatCouldHaveIt() {
        aBox();
        assertThat(refused(SlotType.LLM, "new", GatewayBox.registered("new", ModelCapability.CHAT))
                        .message())
                .contains("`hal0 slot load chat --model new`");
        assertThat(refused(SlotType.LLM, "bge", GatewayBox.registered("bge", ModelCapability.EMBEDDING))
                        .message())
                .contains("`hal0 slot load embed --model bge`");
    }

    @Test
    void endlessName_isShortenedInTheMessage() {
        aBox();
        assertThat(refused(SlotType.LLM, "x".repeat(1 << 20)).message()).hasSizeLessThan(1_000);
    }
}
