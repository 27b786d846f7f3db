package dev.hal0.server;

import dev.hal0.journal.EventFilter;
import dev.hal0.journal.EventRow;
import dev.hal0.journal.Journal;
import dev.hal0.journal.JournalStatus;
import dev.hal0.journal.OperationRow;
import dev.hal0.journal.Outcome;
import dev.hal0.journal.Page;
import dev.hal0.journal.Paging;
import dev.hal0.journal.RequestFilter;
import dev.hal0.journal.RequestRow;
import dev.hal0.journal.TransitionRow;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.slots.SlotManager;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * What was: requests, events, operations and transitions, newest first. Pages are followed with {@code before}, which is the
 * {@code next} of the page before.
 */
final class HistoryRoutes {
    /** Beyond the journal's own deadline, for a reader that hangs in the disk. */
    private static final long PATIENCE_SECONDS = 10;

    record JournalView(
            String file,
            JournalStatus.State state,
            @Nullable String problem,
            long written,
            int queued,
            JournalStatus.Dropped dropped) {}

    record RequestPage(List<RequestRow> rows, @Nullable Long next) {}

    record EventPage(List<EventRow> rows, @Nullable Long next) {}

    record OperationPage(List<OperationRow> rows, @Nullable Long next) {}

    record TransitionPage(
            List<TransitionRow> rows, @Nullable Long next) {}

    private final Journal journal;
    private final SlotManager slots;

    HistoryRoutes(Journal journal, SlotManager slots) {
        this.journal = journal;
        this.slots = slots;
    }

    List<ApiRoute> routes() {
        return List.of(
                ApiRoute.get(
                        "/api/requests",
                        "Inference requests, newest first. Query: slot, model, status (its first digit), outcome, caller,"
                                + " route, error (a code), min_ms, since, until (ISO 8601), text, id, limit, before.",
                        RequestPage.class,
                        request -> {
                            Page<RequestRow> page = read(journal.requests(filter(request), paging(request)));
                            return ApiAnswer.ok(new RequestPage(page.rows(), page.next()));
                        }),
                ApiRoute.get(
                        "/api/events",
                        "Events, newest first. Query: kind (and everything beneath it), subject, since, until, limit,"
                                + " before.",
                        EventPage.class,
                        request -> {
                            var filter = new EventFilter(
                                    text(request, "kind"),
                                    text(request, "subject"),
                                    instant(request, "since"),
                                    instant(request, "until"));
                            Page<EventRow> page = read(journal.events(filter, paging(request)));
                            return ApiAnswer.ok(new EventPage(page.rows(), page.next()));
                        }),
                ApiRoute.get(
                        "/api/history/operations",
                        "Operations that ended, newest first. Query: slot, limit, before.",
                        OperationPage.class,
                        request -> {
                            Page<OperationRow> page = read(journal.operations(text(request, "slot"), paging(request)));
                            return ApiAnswer.ok(new OperationPage(page.rows(), page.next()));
                        }),
                ApiRoute.get(
                        "/api/slots/{name}/history",
                        "A slot's changes of state, newest first. Query: limit, before.",
                        TransitionPage.class,
                        request -> {
                            String slot = slots.view(request.slot()).name().value();
                            Page<TransitionRow> page = read(journal.transitions(slot, paging(request)));
                            return ApiAnswer.ok(new TransitionPage(page.rows(), page.next()));
                        }),
                ApiRoute.get(
                        "/api/journal",
                        "How the history store is.",
                        JournalView.class,
                        request -> ApiAnswer.ok(view(journal.status()))));
    }

    private static JournalView view(JournalStatus status) {
        return new JournalView(
                status.file().toString(),
                status.state(),
                status.problem(),
                status.written(),
                status.queued(),
                status.dropped());
    }

    private static RequestFilter filter(ApiRequest request) {
        return RequestFilter.where()
                .id(text(request, "id"))
                .slot(text(request, "slot"))
                .model(text(request, "model"))
                .statusClass(request.query().containsKey("status") ? request.number("status", 0, 1, 5) : null)
                .outcome(outcome(request))
                .caller(text(request, "caller"))
                .route(text(request, "route"))
                .errorCode(text(request, "error"))
                .leastMs(
                        request.query().containsKey("min_ms")
                                ? (Long) (long) request.number("min_ms", 0, 0, Integer.MAX_VALUE)
                                : null)
                .since(instant(request, "since"))
                .until(instant(request, "until"))
                .text(text(request, "text"))
                .build();
    }

    private static @Nullable Outcome outcome(ApiRequest request) {
        String given = text(request, "outcome");
        if (given == null) {
            return null;
        }
        return Arrays.stream(Outcome.values())
                .filter(outcome -> outcome.label().equals(given))
                .findFirst()
                .orElseThrow(() -> ApiRequest.invalid(
                        "query.outcome",
                        "is '" + given + "'; it can be "
                                + Arrays.stream(Outcome.values())
                                        .map(Outcome::label)
                                        .toList()));
    }

    private static Paging paging(ApiRequest request) {
        String before = text(request, "before");
        try {
            return new Paging(
                    before == null ? null : Long.valueOf(before), request.number("limit", 100, 1, Paging.MOST));
        } catch (NumberFormatException notAPosition) {
            throw ApiRequest.invalid("query.before", "is '" + before + "'; it is the `next` of an earlier page");
        }
    }

    private static @Nullable String text(ApiRequest request, String name) {
        String value = request.query().get(name);
        return value == null || value.isBlank() ? null : value;
    }

    private static @Nullable Instant instant(ApiRequest request, String name) {
        String value = text(request, name);
        try {
            return value == null ? null : Instant.parse(value);
        } catch (DateTimeParseException notATime) {
            throw ApiRequest.invalid("query." + name, "is '" + value + "'; it is a time such as 2026-01-31T12:00:00Z");
        }
    }

    private static <T> T read(CompletableFuture<T> page) throws InterruptedException {
        try {
            return page.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException failed) {
            throw failed.getCause() instanceof Hal0Exception known
                    ? known
                    : new Hal0Exception(
                            ErrorCode.SYSTEM_INTERNAL, "The journal cannot be read: " + failed.getCause(), failed);
        } catch (TimeoutException stuck) {
            page.cancel(true);
            throw new Hal0Exception(ErrorCode.SYSTEM_COMMAND_TIMEOUT, "The journal did not answer in time.", stuck);
        }
    }
}
