package dev.hal0.gateway;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.slots.FormRules;
import io.vertx.core.buffer.Buffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** Where the parts of a form lie in its body. */
record MultipartForm(String boundary, List<Part> parts) {
    /**
     * @param value of a plain field; empty for a file
     * @param headersAt the first byte of its header
     * @param contentAt the first byte of its content
     * @param contentEnd the first byte behind it
     */
    record Part(String name, Optional<String> value, long headersAt, long contentAt, long contentEnd) {}

    MultipartForm {
        parts = List.copyOf(parts);
    }

    Optional<String> field(String name) {
        return parts.stream()
                .filter(part -> part.name().equals(name))
                .findFirst()
                .flatMap(Part::value);
    }

    /** @throws Hal0Exception {@code request.invalid} when there is none */
    MultipartForm requireFile(String name) {
        if (parts.stream().noneMatch(part -> part.name().equals(name))) {
            throw new Hal0Exception(ErrorCode.REQUEST_INVALID, "The form has no field `" + name + "`.").withParam(name);
        }
        return this;
    }

    /** The same form for an engine: other values where the rules or the model ask for it, the rest as it came. */
    EngineBody forEngine(StoredBody body, FormRules rules, Optional<String> model) {
        Map<String, String> set = new HashMap<>(rules.set());
        model.ifPresent(id -> set.put("model", id));
        rules.oneOf().forEach(this::requireOneOf);
        var pieces = new ArrayList<BodyPiece>();
        for (Part part : parts) {
            if (!rules.dropped().contains(part.name()) && !set.containsKey(part.name())) {
                pieces.add(text("--" + boundary + "\r\n"));
                pieces.add(body.slice(part.headersAt(), part.contentEnd() - part.headersAt()));
                pieces.add(text("\r\n"));
            }
        }
        set.forEach((name, value) -> pieces.add(text("--" + boundary + "\r\nContent-Disposition: form-data; name=\""
                + name + "\"\r\n\r\n" + value + "\r\n")));
        pieces.add(text("--" + boundary + "--\r\n"));
        return new EngineBody("multipart/form-data; boundary=\"" + boundary + "\"", pieces);
    }

    private void requireOneOf(String name, Set<String> known) {
        field(name).map(String::strip).filter(value -> !known.contains(value)).ifPresent(value -> {
            throw new Hal0Exception(
                            ErrorCode.REQUEST_INVALID,
                            "`" + name + "` is '" + MultipartReader.shown(value) + "'; the engine knows "
                                    + String.join(", ", new TreeSet<>(known)) + ".")
                    .withParam(name);
        });
    }

    private static BodyPiece text(String text) {
        return new BodyPiece.Bytes(Buffer.buffer(text));
    }
}
