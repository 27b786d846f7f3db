package dev.hal0.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hal0.models.ModelCapability;
import dev.hal0.slots.SlotType;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

class GatewayModelsTest {
    private final GatewayBox box = new GatewayBox();

    @AfterEach
    void close() {
        box.close();
    }

    private JsonNode row(String id) throws Exception {
        return StreamSupport.stream(box.get("/v1/models").json().path("data").spliterator(), false)
                .filter(row -> row.path("id").asString().equals(id))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void listing_hasSlotsByNameAndModelsById() throws Exception {
        box.model("tiny", ModelCapability.CHAT);
        box.model("org/minilm", ModelCapability.EMBEDDING);
        box.slots.add("empty", SlotType.LLM).model(null);
        box.slots.add("off", SlotType.LLM).model("tiny").enabled(false);

        JsonNode list = box.get("/v1/models").json();

        assertThat(list.path("object").asString()).isEqualTo("list");
        assertThat(list.path("data").valueStream().map(row -> row.path("id").asString()))
                .containsExactly("chat", "tiny", "org/minilm");
        JsonNode chat = row("chat");
        assertThat(chat.path("object").asString()).isEqualTo("model");
        assertThat(chat.path("owned_by").asString()).isEqualTo("hal0");
        assertThat(chat.path("created").asLong()).isEqualTo(1_700_000_000);
        assertThat(chat.path("context_length").asInt()).isEqualTo(4096);
        assertThat(chat.path("state").asString()).isEqualTo("ready");
        assertThat(chat.path("model").asString()).isEqualTo("tiny");
        assertThat(chat.path("capabilities").path(0).asString()).isEqualTo("chat");
        assertThat(row("tiny").path("slot").asString()).isEqualTo("chat");
        assertThat(row("org/minilm").path("state").asString()).isEqualTo("not_bound");
        assertThat(row("org/minilm").path("context_length").asInt()).isEqualTo(2048);
    }

    @Test
    void listing_followsTheSlots() throws Exception {
        assertThat(row("chat").path("state").asString()).isEqualTo("ready");
        box.chat.error();
        assertThat(row("chat").path("state").asString()).isEqualTo("error");
    }

    @Test
    void listing_isBounded() throws Exception {
        for (int i = 0; i < 3_000; i++) {
            box.model("m" + i, ModelCapability.CHAT);
        }
        assertThat(box.get("/v1/models").json().path("data")).hasSize(1_000);
    }

    @Test
    void oneModel_isFoundByAnIdWithSlashes() throws Exception {
        box.model("org/a b+c:7b", ModelCapability.CHAT);

        for (String path : new String[] {"/v1/models/org/a%20b+c:7b", "/v1/models/org%2Fa%20b%2Bc%3A7b"}) {
            RawClient.Reply got = box.get(path);
            assertThat(got.status()).as(path).isEqualTo(200);
            assertThat(got.json().path("id").asString()).isEqualTo("org/a b+c:7b");
        }
        assertThat(box.get("/v1/models/chat").json().path("state").asString()).isEqualTo("ready");
    }

    @Test
    void unknownModel_is404WithAHint() throws Exception {
        RawClient.Reply got = box.get("/v1/models/chot");

        assertThat(got.status()).isEqualTo(404);
        assertThat(got.error().path("code").asString()).isEqualTo("dispatch.no_route");
        assertThat(got.error().path("message").asString()).contains("did you mean 'chat'?");
    }
}
