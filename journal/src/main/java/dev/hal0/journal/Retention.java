package dev.hal0.journal;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.List;

/**
 * Deletes what is too old or too much, a few milliseconds of work at a time, so that rows never wait long for it. Confined to
 * the writer's thread.
 */
final class Retention {
    /** Rows that one step deletes at most, from each table. */
    static final int STEP_ROWS = 500;

    /** Free pages are used again by new rows; giving them back is work that pays off only when there are many. */
    private static final int FREE_PAGES = 256;

    /** Pages that one step gives back at most: 1 MB. */
    private static final int STEP_PAGES = 256;

    private record Table(String name, String time, JournalSettings.Limits limits) {}

    private final Connection connection;
    private final List<Table> tables;

    Retention(Connection connection, JournalSettings settings) {
        this.connection = connection;
        this.tables = List.of(
                new Table("requests", "at", settings.requests()),
                new Table("operations", "started_at", settings.operations()),
                new Table("transitions", "at", settings.transitions()),
                new Table("events", "at", settings.events()));
    }

    /** Whether there is more to do. */
    boolean step(Instant now) throws SQLException {
        boolean more = false;
        for (Table table : tables) {
            int deleted = deleteOld(table, now);
            more |= deleted == STEP_ROWS;
            if (deleted < STEP_ROWS) {
                more |= deleteSurplus(table, STEP_ROWS - deleted);
            }
        }
        return more | giveBack();
    }

    private int deleteOld(Table table, Instant now) throws SQLException {
        try (var delete = connection.prepareStatement("DELETE FROM " + table.name() + " WHERE seq IN (SELECT seq FROM "
                + table.name() + " WHERE " + table.time() + " < ? ORDER BY " + table.time() + " LIMIT ?)")) {
            delete.setLong(1, oldest(table, now));
            delete.setInt(2, STEP_ROWS);
            return delete.executeUpdate();
        }
    }

    private static long oldest(Table table, Instant now) {
        try {
            return now.minus(table.limits().age()).toEpochMilli();
        } catch (ArithmeticException | DateTimeException forEver) {
            return Long.MIN_VALUE;
        }
    }

    private boolean deleteSurplus(Table table, int most) throws SQLException {
        long surplus = Schema.number(connection, "SELECT count(*) FROM " + table.name())
                - table.limits().rows();
        if (surplus <= 0) {
            return false;
        }
        try (var delete = connection.prepareStatement("DELETE FROM " + table.name() + " WHERE seq IN (SELECT seq FROM "
                + table.name() + " ORDER BY seq LIMIT ?)")) {
            delete.setLong(1, Math.min(surplus, most));
            return delete.executeUpdate() < surplus;
        }
    }

    private boolean giveBack() throws SQLException {
        long free = Schema.number(connection, "PRAGMA freelist_count");
        long all = Schema.number(connection, "PRAGMA page_count");
        if (free < FREE_PAGES || free < all / 4) {
            return false;
        }
        try (Statement statement = connection.createStatement()) {
            // One page a step: executeUpdate steps to the end, a query would have to be read to its end.
            statement.executeUpdate("PRAGMA incremental_vacuum(" + STEP_PAGES + ")");
        }
        return Schema.number(connection, "PRAGMA freelist_count") < free;
    }
}
