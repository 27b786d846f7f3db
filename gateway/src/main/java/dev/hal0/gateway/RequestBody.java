package dev.hal0.gateway;

import dev.hal0.kernel.Hal0Exception;
import dev.hal0.slots.FormRules;
import java.util.List;
import java.util.Optional;

/** The body of an inference request, read as far as the gateway needs it, and kept until its exchange is over. */
sealed interface RequestBody extends AutoCloseable {
    RequestHead head();

    /**
     * @param model that was resolved; empty where the slot has none of its own
     * @throws Hal0Exception {@code request.invalid} for a field that the engine cannot follow
     */
    EngineBody forEngine(FormRules rules, Optional<String> model);

    /** What the engine is sent when it shall end its stream with its usage; empty where that cannot be asked for. */
    default Optional<EngineBody> askingForUsage() {
        return Optional.empty();
    }

    /** In bytes. */
    default long length() {
        return 0;
    }

    @Override
    void close();

    /** Passed on as it came. */
    record Json(RequestHead head, StoredBody stored) implements RequestBody {
        @Override
        public EngineBody forEngine(FormRules rules, Optional<String> model) {
            return new EngineBody("application/json", List.of(stored.slice(0, stored.length())));
        }

        @Override
        public Optional<EngineBody> askingForUsage() {
            return head.usageRequest().map(edit -> new EngineBody("application/json", edit.apply(stored)));
        }

        @Override
        public long length() {
            return stored.length();
        }

        @Override
        public void close() {
            stored.close();
        }
    }

    /** Of a request without one. */
    record None(RequestHead head) implements RequestBody {
        @Override
        public EngineBody forEngine(FormRules rules, Optional<String> model) {
            return new EngineBody("", List.of());
        }

        @Override
        public void close() {}
    }

    /** Passed on part by part, the {@code model} rewritten. */
    record Form(MultipartForm form, StoredBody stored) implements RequestBody {
        @Override
        public RequestHead head() {
            return new RequestHead(form.field("model").map(String::strip).filter(model -> !model.isEmpty()), false);
        }

        @Override
        public EngineBody forEngine(FormRules rules, Optional<String> model) {
            return form.forEngine(stored, rules, model);
        }

        @Override
        public long length() {
            return stored.length();
        }

        @Override
        public void close() {
            stored.close();
        }
    }
}
