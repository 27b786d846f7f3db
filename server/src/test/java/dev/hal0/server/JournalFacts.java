package dev.hal0.server;

import dev.hal0.kernel.Json;
import dev.hal0.testing.Fact;
import dev.hal0.testing.InvariantChecker;
import dev.hal0.testing.Violation;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * What a journal tells {@link InvariantChecker}. Each table is read in the order in which it was recorded, so that a clock
 * that jumps changes no order within it; the tables are merged by their times.
 *
 * <p>A request's row is made a moment after it has left the slot, and when it entered is reckoned from how long it waited: it
 * counts as inside until {@link #SETTLING} before its row.
 */
final class JournalFacts {
    /** Between leaving a slot and the row that tells of it, on a busy machine. */
    private static final Duration SETTLING = Duration.ofMillis(250);

    /** Longest time between two states: a load's budget and some. */
    private static final Duration LONGEST_TRANSITION = Duration.ofMinutes(12);

    /** A row of the journal: what it says, and its rank among rows of the same millisecond. */
    private record Row(Instant at, int rank, Runnable tell) {}

    private final List<Fact> facts = new ArrayList<>();
    private final Map<String, String> incarnations = new HashMap<>();
    private final Map<String, Integer> launches = new HashMap<>();
    private final Map<String, Integer> counts = new TreeMap<>();

    private JournalFacts() {}

    /** Of a finished run: no control plane may have the file open for writing. */
    static List<Fact> read(Path journal) throws SQLException {
        var reading = new JournalFacts();
        var readOnly = new Properties();
        readOnly.setProperty("open_mode", "1");
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + journal, readOnly)) {
            reading.merge(List.of(
                    reading.events(connection),
                    reading.transitions(connection),
                    reading.arrivals(connection),
                    reading.departures(connection)));
        }
        return reading.facts;
    }

    static List<Violation> check(Path journal) throws SQLException {
        return InvariantChecker.check(read(journal), LONGEST_TRANSITION);
    }

    /** For scripts: {@code JournalFacts journal.db}; prints what is broken and exits with 1 if anything is. */
    public static void main(String[] arguments) throws SQLException {
        List<Fact> facts = read(Path.of(arguments[0]));
        List<Violation> violations = InvariantChecker.check(facts, LONGEST_TRANSITION);
        violations.forEach(System.out::println);
        System.out.println(facts.size() + " facts, " + violations.size() + " violations");
        System.exit(violations.isEmpty() ? 0 : 1);
    }

    /** The earliest head first: within a table the order of its rows stands. */
    private void merge(List<Deque<Row>> tables) {
        while (true) {
            @Nullable
            Deque<Row> next = tables.stream()
                    .filter(table -> !table.isEmpty())
                    .min(Comparator.comparing(
                                    (Deque<Row> table) -> table.getFirst().at())
                            .thenComparing(table -> table.getFirst().rank()))
                    .orElse(null);
            if (next == null) {
                return;
            }
            next.removeFirst().tell().run();
        }
    }

    private Deque<Row> events(Connection connection) throws SQLException {
        return rows(
                connection,
                "SELECT at, kind, subject, payload FROM events WHERE kind IN"
                        + " ('system.started', 'operation', 'slot.revoked', 'slot.reserved') ORDER BY seq",
                row -> {
                    Instant at = Instant.ofEpochMilli(row.getLong("at"));
                    String kind = row.getString("kind");
                    String slot = row.getString("subject");
                    JsonNode payload = Json.LENIENT.readTree(row.getString("payload"));
                    return new Row(at, 1, () -> event(at, kind, slot, payload));
                });
    }

    private void event(Instant at, String kind, String slot, JsonNode payload) {
        switch (kind) {
            case "system.started" -> facts.add(new Fact.ControlPlaneStarted(at));
            case "slot.revoked" ->
                facts.add(new Fact.Revoked(
                        at,
                        slot,
                        payload.path("incarnation").asString(),
                        payload.path("cause").asString(),
                        payload.path("cut").asInt()));
            case "slot.reserved" -> reserved(at, slot, payload);
            default -> operation(at, slot, payload);
        }
    }

    private void operation(Instant at, String slot, JsonNode payload) {
        String id = payload.path("id").asString();
        String status = payload.path("status").asString();
        boolean known = counts.merge(id, 1, Integer::sum) > 1;
        if (!status.equals("running")) {
            facts.add(new Fact.OperationEnded(at, id, status));
            if (payload.path("kind").asString().equals("delete") && status.equals("succeeded")) {
                facts.add(new Fact.Forgotten(at, slot));
            }
        } else if (!known) {
            facts.add(new Fact.OperationBegun(at, id, slot, payload.path("kind").asString()));
        }
    }

    private void reserved(Instant at, String slot, JsonNode payload) {
        String pool = payload.path("pool").asString();
        facts.add(new Fact.Defined(
                at, slot, Fact.Lane.valueOf(payload.path("lane").asString().toUpperCase(java.util.Locale.ROOT))));
        if (payload.has("budget_bytes")) {
            facts.add(new Fact.Budget(at, pool, payload.path("budget_bytes").asLong()));
        }
        boolean forced = payload.path("cause").asString().equals("operator_force");
        facts.add(new Fact.Reserved(
                at, slot, pool, payload.path("bytes").asLong(0), forced ? Fact.Basis.FORCED : Fact.Basis.ADMITTED));
        launches.merge(slot, 1, Integer::sum);
        facts.add(new Fact.LaunchAsked(at, slot, launch(slot)));
    }

    private String launch(String slot) {
        return slot + "#" + launches.getOrDefault(slot, 0);
    }

    private Deque<Row> transitions(Connection connection) throws SQLException {
        return rows(
                connection,
                "SELECT at, slot, from_state, to_state, cause, incarnation FROM transitions ORDER BY seq",
                row -> {
                    var changed = new Fact.StateChanged(
                            Instant.ofEpochMilli(row.getLong("at")),
                            row.getString("slot"),
                            row.getString("from_state"),
                            row.getString("to_state"),
                            row.getString("cause"));
                    @Nullable String incarnation = row.getString("incarnation");
                    return new Row(changed.at(), 2, () -> transition(changed, incarnation));
                });
    }

    /** The state says what became of the workload. */
    private void transition(Fact.StateChanged changed, @Nullable String incarnation) {
        Instant at = changed.at();
        String slot = changed.slot();
        @Nullable String current = incarnation == null ? incarnations.get(slot) : incarnation;
        boolean gone = changed.to().equals("offline")
                || changed.to().equals("error") && !changed.cause().equals("stop_timeout");
        if (incarnation != null
                && changed.to().equals("warming")
                && !changed.from().equals("ready")) {
            facts.add(new Fact.Launched(at, slot, launch(slot), incarnation));
            incarnations.put(slot, incarnation);
        } else if (current != null
                && changed.from().equals("ready")
                && changed.to().equals("unloading")) {
            // The gate was closed before: nobody is inside from here on. A load that is cancelled drains after it.
            facts.add(new Fact.StopRequested(at, slot, current));
        } else if (gone && current == null) {
            facts.add(new Fact.LaunchFailed(at, slot, launch(slot)));
        } else if (gone && current != null && changed.from().equals("unloading")) {
            facts.add(new Fact.StopRequested(at, slot, current));
            facts.add(new Fact.Stopped(at, slot, current));
        } else if (gone && current != null) {
            facts.add(new Fact.Exited(at, slot, current));
        }
        facts.add(changed);
        if (gone) {
            incarnations.remove(slot);
            facts.add(new Fact.Released(at, slot));
        }
    }

    /** Requests that got an answer from an engine; in the order in which they entered. */
    private Deque<Row> arrivals(Connection connection) throws SQLException {
        return rows(
                connection,
                "SELECT seq, id, slot, at + coalesce(load_ms, 0) + coalesce(queue_ms, 0) AS entered FROM requests"
                        + " WHERE slot IS NOT NULL AND ttft_ms IS NOT NULL ORDER BY entered, seq",
                row -> {
                    Instant at = Instant.ofEpochMilli(row.getLong("entered"));
                    String request = "request " + row.getString("id") + "/" + row.getLong("seq");
                    String slot = row.getString("slot");
                    return new Row(at, 3, () -> {
                        @Nullable String incarnation = incarnations.get(slot);
                        if (incarnation != null) {
                            facts.add(new Fact.Entered(at, request, slot, incarnation));
                        }
                    });
                });
    }

    private Deque<Row> departures(Connection connection) throws SQLException {
        return rows(
                connection,
                "SELECT seq, id, max(at + coalesce(load_ms, 0) + coalesce(queue_ms, 0), at + total_ms - "
                        + SETTLING.toMillis()
                        + ") AS left FROM requests WHERE slot IS NOT NULL AND ttft_ms IS NOT NULL ORDER BY left, seq",
                row -> {
                    Instant at = Instant.ofEpochMilli(row.getLong("left"));
                    String request = "request " + row.getString("id") + "/" + row.getLong("seq");
                    return new Row(at, 4, () -> facts.add(new Fact.Left(at, request)));
                });
    }

    private interface RowReader {
        Row read(ResultSet row) throws SQLException;
    }

    private static Deque<Row> rows(Connection connection, String sql, RowReader reader) throws SQLException {
        var rows = new ArrayDeque<Row>();
        try (Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(sql)) {
            while (result.next()) {
                rows.add(reader.read(result));
            }
        }
        return rows;
    }
}
