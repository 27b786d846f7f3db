package dev.hal0.journal;

import dev.hal0.kernel.Json;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;

/** Puts rows into their tables. Confined to the writer's thread; its statements end with the connection. */
final class RowWriter {
    private static final Logger log = LoggerFactory.getLogger(RowWriter.class);

    /** Clients choose model names and request ids: nobody fills the disk with them. In characters. */
    static final int LONGEST_NAME = 512;

    static final int LONGEST_MESSAGE = 8_192;
    static final int LONGEST_JSON = 65_536;

    private static final String EVENT = "INSERT INTO events(id, at, kind, subject, payload) VALUES (?, ?, ?, ?, ?)";
    private static final String OPERATION = """
            INSERT INTO operations(id, slot, kind, cause, state, started_at, finished_at, error_code, message, details)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT(id) DO UPDATE SET
              slot = excluded.slot, kind = excluded.kind, cause = excluded.cause, state = excluded.state,
              started_at = excluded.started_at, finished_at = excluded.finished_at,
              error_code = excluded.error_code, message = excluded.message, details = excluded.details
            WHERE excluded.finished_at IS NOT NULL OR operations.finished_at IS NULL""";
    private static final String TRANSITION = """
            INSERT INTO transitions(slot, from_state, to_state, cause, incarnation, at, operation, message)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)""";
    private static final String REQUEST = """
            INSERT INTO requests(id, at, route, requested_model, slot, model, upstream, caller, status, error_code,
              streamed, prompt_tokens, completion_tokens, cached_tokens, queue_ms, load_ms, prefill_ms, ttft_ms,
              decode_ms, total_ms, bytes_in, bytes_out, priority, outcome)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""";

    private final Connection connection;
    private final Map<String, PreparedStatement> prepared = new HashMap<>();

    RowWriter(Connection connection) {
        this.connection = connection;
    }

    /**
     * @return false when the row is one that cannot be stored, which is logged
     * @throws SQLException when no row can
     */
    boolean write(JournalRow row) throws SQLException {
        String table = statementFor(row);
        try {
            fill(row, new Parameters(prepared(table)));
            prepared(table).executeUpdate();
            return true;
        } catch (RuntimeException | StackOverflowError notJson) {
            // A payload is foreign code: its getters, its depth, its cycles.
            log.warn("No history of a {}: {}", row.getClass().getSimpleName(), brief(notJson));
            return false;
        } catch (SQLException failure) {
            // The driver has ended the statement with its first failure.
            prepared.remove(table);
            if (Failure.of(failure) != Failure.ROW) {
                throw failure;
            }
            log.warn("No history of a {}: {}", row.getClass().getSimpleName(), failure.getMessage());
            return false;
        }
    }

    private PreparedStatement prepared(String sql) throws SQLException {
        PreparedStatement known = prepared.get(sql);
        if (known == null) {
            known = connection.prepareStatement(sql);
            prepared.put(sql, known);
        }
        return known;
    }

    private static String statementFor(JournalRow row) {
        return switch (row) {
            case EventRow _ -> EVENT;
            case OperationRow _ -> OPERATION;
            case TransitionRow _ -> TRANSITION;
            case RequestRow _ -> REQUEST;
        };
    }

    private static void fill(JournalRow row, Parameters parameters) throws SQLException {
        switch (row) {
            case EventRow it -> fill(it, parameters);
            case OperationRow it -> fill(it, parameters);
            case TransitionRow it -> fill(it, parameters);
            case RequestRow it -> fill(it, parameters);
        }
    }

    /** Jackson names the whole path to what it does not like, which an endless list makes endless. */
    private static String brief(Throwable failure) {
        return failure instanceof JacksonException jackson ? jackson.getOriginalMessage() : failure.toString();
    }

    private static void fill(EventRow row, Parameters parameters) throws SQLException {
        parameters
                .name(row.id())
                .time(row.at())
                .name(row.kind())
                .name(row.subject())
                .json(row.payload());
    }

    private static void fill(OperationRow row, Parameters parameters) throws SQLException {
        parameters
                .name(row.id())
                .name(row.slot())
                .name(row.kind())
                .name(row.cause())
                .name(row.state())
                .time(row.startedAt())
                .time(row.finishedAt())
                .name(row.errorCode())
                .text(row.message(), LONGEST_MESSAGE)
                .json(row.details());
    }

    private static void fill(TransitionRow row, Parameters parameters) throws SQLException {
        parameters
                .name(row.slot())
                .name(row.from())
                .name(row.to())
                .name(row.cause())
                .name(row.incarnation())
                .time(row.at())
                .name(row.operation())
                .text(row.message(), LONGEST_MESSAGE);
    }

    private static void fill(RequestRow row, Parameters parameters) throws SQLException {
        parameters
                .name(row.id())
                .time(row.at())
                .name(row.route())
                .name(row.requestedModel())
                .name(row.slot())
                .name(row.model())
                .name(row.upstream())
                .name(row.caller())
                .number(row.status())
                .name(row.errorCode())
                .number(row.streamed() ? 1 : 0)
                .number(row.tokens().prompt())
                .number(row.tokens().completion())
                .number(row.tokens().cached())
                .number(row.timings().queueMs())
                .number(row.timings().loadMs())
                .number(row.timings().prefillMs())
                .number(row.timings().ttftMs())
                .number(row.timings().decodeMs())
                .number(row.timings().totalMs())
                .number(row.bytesIn())
                .number(row.bytesOut())
                .name(row.priority())
                .name(row.outcome().label());
    }

    /** Sets one parameter after the other. */
    private static final class Parameters {
        private final PreparedStatement statement;
        private int index;

        Parameters(PreparedStatement statement) {
            this.statement = statement;
        }

        Parameters name(@Nullable String value) throws SQLException {
            return text(value, LONGEST_NAME);
        }

        Parameters text(@Nullable String value, int longest) throws SQLException {
            statement.setString(++index, value == null || value.length() <= longest ? value : cut(value, longest));
            return this;
        }

        Parameters time(@Nullable Instant value) throws SQLException {
            return number(value == null ? null : (Long) value.toEpochMilli());
        }

        Parameters number(@Nullable Number value) throws SQLException {
            if (value == null) {
                statement.setObject(++index, null);
            } else {
                statement.setLong(++index, value.longValue());
            }
            return this;
        }

        /** Half a JSON document is none, so one that is too long goes altogether. */
        Parameters json(@Nullable Object value) throws SQLException {
            String text = value == null ? null : Json.STRICT.writeValueAsString(value);
            if (text != null && text.length() > LONGEST_JSON) {
                text = Json.STRICT.writeValueAsString(Map.of("left_out_chars", text.length()));
            }
            statement.setString(++index, text);
            return this;
        }

        /** Not through the middle of a character. */
        private static String cut(String value, int longest) {
            int end = Character.isHighSurrogate(value.charAt(longest - 1)) ? longest - 1 : longest;
            return value.substring(0, end);
        }
    }
}
