package dev.hal0.journal;

import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/** What can be asked of the tables, and how their columns become rows again. */
final class Queries {
    private static final String TEXT = " LIKE ? ESCAPE '\\'";

    private Queries() {}

    static Select<RequestRow> requests(RequestFilter filter) {
        Outcome outcome = filter.outcome();
        return new Select<>("requests", Queries::request)
                .where("id = ?", filter.id())
                .where("slot = ?", filter.slot())
                .where("model = ?", filter.model())
                .where("status >= 100 * ? AND status < 100 * (? + 1)", filter.statusClass())
                .where("outcome = ?", outcome == null ? null : outcome.label())
                .where("caller = ?", filter.caller())
                .where("route = ?", filter.route())
                .where("error_code = ?", filter.errorCode())
                .where("total_ms >= ?", filter.leastMs())
                .since("at", filter.since())
                .until("at", filter.until())
                .where(
                        "id" + TEXT + " OR route" + TEXT + " OR requested_model" + TEXT + " OR slot" + TEXT
                                + " OR model" + TEXT + " OR upstream" + TEXT + " OR caller" + TEXT + " OR error_code"
                                + TEXT,
                        containing(filter.text()));
    }

    static Select<EventRow> events(EventFilter filter) {
        // The range from "slot." to "slot/" is all kinds beneath "slot": '/' follows '.'.
        return new Select<>("events", Queries::event)
                .where("kind = ? OR (kind > ? || '.' AND kind < ? || '/')", filter.kind())
                .where("subject = ?", filter.subject())
                .since("at", filter.since())
                .until("at", filter.until());
    }

    static Select<OperationRow> operations(@Nullable String slot) {
        return new Select<>("operations", Queries::operation).where("slot = ?", slot);
    }

    static Select<TransitionRow> transitions(@Nullable String slot) {
        return new Select<>("transitions", Queries::transition).where("slot = ?", slot);
    }

    private static @Nullable String containing(@Nullable String text) {
        return text == null || text.isEmpty()
                ? null
                : "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%";
    }

    private static RequestRow request(Columns row) throws SQLException {
        Long status = row.numberOrNull("status");
        return new RequestRow(
                row.text("id"),
                row.time("at"),
                row.text("route"),
                row.textOrNull("requested_model"),
                row.textOrNull("slot"),
                row.textOrNull("model"),
                row.textOrNull("upstream"),
                row.textOrNull("caller"),
                status == null ? null : (Integer) status.intValue(),
                row.textOrNull("error_code"),
                row.flag("streamed"),
                new RequestRow.Tokens(
                        row.numberOrNull("prompt_tokens"),
                        row.numberOrNull("completion_tokens"),
                        row.numberOrNull("cached_tokens")),
                new RequestRow.Timings(
                        row.numberOrNull("queue_ms"),
                        row.numberOrNull("load_ms"),
                        row.numberOrNull("prefill_ms"),
                        row.numberOrNull("ttft_ms"),
                        row.numberOrNull("decode_ms"),
                        row.numberOrNull("total_ms")),
                row.numberOrNull("bytes_in"),
                row.numberOrNull("bytes_out"),
                row.textOrNull("priority"),
                Outcome.of(row.text("outcome")));
    }

    private static EventRow event(Columns row) throws SQLException {
        return new EventRow(row.text("id"), row.time("at"), row.text("kind"), row.text("subject"), row.json("payload"));
    }

    private static OperationRow operation(Columns row) throws SQLException {
        return new OperationRow(
                row.text("id"),
                row.textOrNull("slot"),
                row.text("kind"),
                row.text("cause"),
                row.text("state"),
                row.time("started_at"),
                row.timeOrNull("finished_at"),
                row.textOrNull("error_code"),
                row.text("message"),
                row.jsonOrNull("details"));
    }

    private static TransitionRow transition(Columns row) throws SQLException {
        return new TransitionRow(
                row.text("slot"),
                row.text("from_state"),
                row.text("to_state"),
                row.text("cause"),
                row.textOrNull("incarnation"),
                row.time("at"),
                row.textOrNull("operation"),
                row.text("message"));
    }
}
