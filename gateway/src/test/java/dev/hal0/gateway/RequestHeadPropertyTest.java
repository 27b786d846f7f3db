package dev.hal0.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hal0.kernel.Hal0Exception;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class RequestHeadPropertyTest {
    private static final JsonMapper FULL = new JsonMapper();

    @Property
    void anyObject_isReadAsAFullParserWould(@ForAll("objects") Map<String, Object> object) {
        byte[] body = FULL.writeValueAsBytes(object);
        JsonNode full = FULL.readTree(body);

        RequestHead head = RequestHead.parse(body);

        assertThat(head.model())
                .isEqualTo(Optional.ofNullable(full.path("model").stringValue(null))
                        .map(String::strip)
                        .filter(text -> !text.isBlank()));
        assertThat(head.stream()).isEqualTo(full.path("stream").asBoolean(false));
    }

    @Property
    void anyBytes_areReadOrRefused(@ForAll byte[] body) {
        try {
            assertThat(RequestHead.parse(body)).isNotNull();
        } catch (Hal0Exception refused) {
            assertThat(refused.code().status()).isEqualTo(400);
        }
    }

    @Property
    void anyDamagedObject_isReadOrRefused(
            @ForAll("objects") Map<String, Object> object, @ForAll int position, @ForAll byte value) {
        byte[] body = FULL.writeValueAsBytes(object);
        body[Math.floorMod(position, body.length)] = value;

        anyBytes_areReadOrRefused(body);
    }

    @Provide
    Arbitrary<Map<String, Object>> objects() {
        Arbitrary<Object> leaves = Arbitraries.oneOf(
                Arbitraries.strings()
                        .map(text -> new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8)),
                Arbitraries.integers(),
                Arbitraries.bigDecimals(),
                Arbitraries.of(true, false));
        Arbitrary<Object> values = Arbitraries.recursive(
                () -> leaves,
                inner -> Arbitraries.oneOf(
                        inner,
                        inner.list().ofMaxSize(3).map(list -> (Object) list),
                        Arbitraries.maps(keys(), inner).ofMaxSize(3).map(map -> (Object) map)),
                0,
                3);
        Arbitrary<Map<String, Object>> others = Arbitraries.maps(keys(), values).ofMaxSize(5);
        return others.flatMap(map -> Arbitraries.of(List.of(0, 1, 2, 3))
                .flatMap(which -> Arbitraries.strings()
                        .ascii()
                        .flatMap(model -> Arbitraries.of(true, false).map(stream -> {
                            var object = new LinkedHashMap<String, Object>(map);
                            // Not every name at the top may carry any value: those two are checked.
                            object.remove("model");
                            object.remove("stream");
                            if ((which & 1) != 0) {
                                object.put("model", model);
                            }
                            if ((which & 2) != 0) {
                                object.put("stream", stream);
                            }
                            return object;
                        }))));
    }

    private static Arbitrary<String> keys() {
        return Arbitraries.oneOf(
                Arbitraries.of("model", "stream", "messages", ""),
                Arbitraries.strings().ascii());
    }
}
