package dev.hal0.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hal0.gateway.GatewayRoute;
import dev.hal0.gateway.UnservedRoute;
import dev.hal0.slots.SlotType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** {@code docs/routes.md} is the route table in words. After a change: run this with {@code -Dhal0.write-docs=true}. */
class RoutesDocumentTest {
    private static final String WORDS = """
            # Inference routes

            Generated from `GatewayRoute` and `UnservedRoute`; edit those. `GET /api/openapi.json` has these and the routes below
            `/api`.

            | Route | Other spellings | Slot types | Streams | |
            |---|---|---|---|---|
            """;

    private static final String NAMES = """

            `/upstream/SLOT/…` reaches one slot by any of these paths, whatever the body's `model` says; no other path of an engine is
            passed on.

            ## What `model` may be

            In this order: a slot's name (`chat`, `slot:chat`); exactly the id of a model that a slot has, the readiest slot first;
            `hal0/auto` for any slot that can answer, `hal0/NAME` for slot NAME, and `hal0/agent`, `hal0/primary`, `hal0/utility` for the
            default slot where no slot has that name; nothing for the default slot of the route's type. Anything else is 404 with the
            nearest name, unless `[dispatcher] unknown_models = "default"`. A slot of another type is 409. `X-Hal0-Slot`,
            `X-Hal0-Model` and `X-Hal0-Resolved-By` (`slot`, `model`, `virtual`, `default`, `unknown-to-default`) say what was found;
            `hal0 route NAME --path PATH` and `GET /api/route` say it without sending anything.

            ## Not served

            Answered 501 with the reason.

            | Path and below | Why |
            |---|---|
            """;

    @Test
    void document_isTheRouteTable() throws IOException {
        Path file = Path.of("..", "docs", "routes.md");
        var text = new StringBuilder(WORDS);
        for (GatewayRoute route : GatewayRoute.ALL) {
            text.append("| `%s %s` | %s | %s | %s | %s |\n"
                    .formatted(
                            route.method(),
                            route.path(),
                            route.aliases().stream()
                                    .map(alias -> "`" + alias + "`")
                                    .collect(Collectors.joining(" ")),
                            route.serves().stream().map(SlotType::label).collect(Collectors.joining(", ")),
                            route.streams() ? "yes" : "",
                            route.summary()));
        }
        text.append(NAMES);
        for (UnservedRoute route : UnservedRoute.ALL) {
            text.append("| `%s` | %s |\n".formatted(route.path(), route.reason()));
        }
        if (Boolean.getBoolean("hal0.write-docs")) {
            Files.writeString(file, text);
        }
        assertThat(file).content().isEqualTo(text.toString());
    }
}
