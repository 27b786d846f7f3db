package dev.hal0.journal;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;

/**
 * The tables, as steps from one {@code user_version} to the next. A step that was released never changes; a new one is added
 * at the end.
 *
 * <p>{@code seq} is the order in which rows were recorded and the position in it that pages are cut at. It never repeats,
 * also after everything was deleted, so that an old position never means a new row. Times are milliseconds since 1970.
 */
final class Schema {
    /** "hal0": tells our files from another program's. */
    static final int APPLICATION = 0x68616c30;

    private static final List<String> STEPS = List.of("""
            CREATE TABLE events(
              seq INTEGER PRIMARY KEY AUTOINCREMENT,
              id TEXT NOT NULL,
              at INTEGER NOT NULL,
              kind TEXT NOT NULL,
              subject TEXT NOT NULL,
              payload TEXT NOT NULL
            ) STRICT;
            CREATE INDEX events_at ON events(at);
            CREATE INDEX events_subject ON events(subject);

            CREATE TABLE operations(
              seq INTEGER PRIMARY KEY AUTOINCREMENT,
              id TEXT NOT NULL UNIQUE,
              slot TEXT,
              kind TEXT NOT NULL,
              cause TEXT NOT NULL,
              state TEXT NOT NULL,
              started_at INTEGER NOT NULL,
              finished_at INTEGER,
              error_code TEXT,
              message TEXT NOT NULL,
              details TEXT
            ) STRICT;
            CREATE INDEX operations_started_at ON operations(started_at);
            CREATE INDEX operations_slot ON operations(slot);

            CREATE TABLE transitions(
              seq INTEGER PRIMARY KEY AUTOINCREMENT,
              slot TEXT NOT NULL,
              from_state TEXT NOT NULL,
              to_state TEXT NOT NULL,
              cause TEXT NOT NULL,
              incarnation TEXT,
              at INTEGER NOT NULL,
              operation TEXT,
              message TEXT NOT NULL
            ) STRICT;
            CREATE INDEX transitions_at ON transitions(at);
            CREATE INDEX transitions_slot ON transitions(slot);

            CREATE TABLE requests(
              seq INTEGER PRIMARY KEY AUTOINCREMENT,
              id TEXT NOT NULL,
              at INTEGER NOT NULL,
              route TEXT NOT NULL,
              requested_model TEXT,
              slot TEXT,
              model TEXT,
              upstream TEXT,
              caller TEXT,
              status INTEGER,
              error_code TEXT,
              streamed INTEGER NOT NULL,
              prompt_tokens INTEGER,
              completion_tokens INTEGER,
              cached_tokens INTEGER,
              queue_ms INTEGER,
              load_ms INTEGER,
              prefill_ms INTEGER,
              ttft_ms INTEGER,
              decode_ms INTEGER,
              total_ms INTEGER,
              bytes_in INTEGER,
              bytes_out INTEGER,
              outcome TEXT NOT NULL
            ) STRICT;
            CREATE INDEX requests_id ON requests(id);
            CREATE INDEX requests_at ON requests(at);
            CREATE INDEX requests_slot ON requests(slot);
            """, """
            ALTER TABLE requests ADD COLUMN priority TEXT;
            """);

    static final int VERSION = STEPS.size();

    private Schema() {}

    static int version(Connection connection) throws SQLException {
        return (int) number(connection, "PRAGMA user_version");
    }

    /** Whether the tables are ours, or there are none yet. */
    static boolean isOurs(Connection connection) throws SQLException {
        return number(connection, "PRAGMA application_id") == APPLICATION
                || number(connection, "SELECT count(*) FROM sqlite_schema") == 0;
    }

    /** Brings the file up to {@link #VERSION}, one transaction a step: whatever it dies at, the file is of one version. */
    static void migrate(Connection connection) throws SQLException {
        for (int version = version(connection); version < VERSION; version++) {
            int to = version + 1;
            String step = STEPS.get(version);
            Transactions.run(connection, () -> {
                try (Statement statement = connection.createStatement()) {
                    for (String each : step.split(";\\s*\\n", -1)) {
                        if (!each.isBlank()) {
                            statement.execute(each);
                        }
                    }
                    statement.execute("PRAGMA application_id = " + APPLICATION);
                    statement.execute("PRAGMA user_version = " + to);
                }
            });
        }
    }

    /** The first column of the first row; 0 when there is none. */
    static long number(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(sql)) {
            return result.next() ? result.getLong(1) : 0;
        }
    }
}
