package dev.hal0.journal;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;

/**
 * Transactions by hand on an auto-commit connection: JDBC's own switch begins the next transaction with the end of the last
 * one, and pragmas are refused inside one.
 */
final class Transactions {
    interface Work {
        void run() throws SQLException;
    }

    private Transactions() {}

    static void run(Connection connection, Work work) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("BEGIN IMMEDIATE");
            try {
                work.run();
                statement.execute("COMMIT");
            } catch (SQLException | RuntimeException | Error failure) {
                rollBack(statement, failure);
                throw failure;
            }
        }
    }

    /** SQLite has rolled back by itself after some failures, so that this one fails and means nothing. */
    private static void rollBack(Statement statement, Throwable failure) {
        try {
            statement.execute("ROLLBACK");
        } catch (SQLException second) {
            failure.addSuppressed(second);
        }
    }
}
