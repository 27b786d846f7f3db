package dev.hal0.journal;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.Collection;
import java.util.Objects;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The writer's open file. Confined to the writer's thread. */
final class Store implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Store.class);

    private final Path file;
    private final Object identity;
    private final Connection connection;
    private final RowWriter rows;
    private final Retention retention;
    private long maxPages;

    /** @param connection is of this store from now on, also when this fails */
    Store(Path file, Connection connection, JournalSettings settings) throws SQLException, IOException {
        this.file = file;
        this.identity = identity(file);
        this.connection = connection;
        this.rows = new RowWriter(connection);
        this.retention = new Retention(connection, settings);
    }

    /**
     * Stores all rows or, when it throws, none.
     *
     * @param durably whether they survive a power cut when this returns; otherwise they do some seconds later
     * @return how many cannot be stored because of what they are
     */
    int write(Collection<JournalRow> batch, boolean durably) throws SQLException {
        setting("synchronous", durably ? "FULL" : "NORMAL");
        var refused = new int[1];
        Transactions.run(connection, () -> {
            for (JournalRow row : batch) {
                if (!rows.write(row)) {
                    refused[0]++;
                }
            }
        });
        return refused[0];
    }

    /** Operations that began before this life of the control plane and never ended: nobody works on them any more. */
    void abandonOperations(Instant born) throws SQLException {
        try (var statement = connection.prepareStatement(
                "UPDATE operations SET state = ? WHERE finished_at IS NULL AND started_at < ? AND state <> ?")) {
            statement.setString(1, OperationRow.ABANDONED);
            statement.setLong(2, born.toEpochMilli());
            statement.setString(3, OperationRow.ABANDONED);
            statement.executeUpdate();
        }
    }

    /** Deletes a little of what is too old or too much; whether there is more. */
    boolean tidy(Instant now) throws SQLException {
        return retention.step(now);
    }

    /** A file that was deleted or replaced would swallow every row until the next start. */
    boolean isInPlace() {
        try {
            return identity.equals(identity(file));
        } catch (IOException gone) {
            return false;
        }
    }

    /** For tests: how large the file may become, in pages; 0 for any size. */
    void limitPages(long pages) throws SQLException {
        if (pages != maxPages) {
            setting("max_page_count", Long.toString(pages == 0 ? 0xffff_fffeL : pages));
            maxPages = pages;
        }
    }

    @Override
    public void close() {
        try {
            connection.close();
        } catch (SQLException failure) {
            log.warn("{} did not close cleanly: {}", file, failure.getMessage());
        }
    }

    private void setting(String pragma, String value) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("PRAGMA " + pragma + " = " + value);
        }
    }

    private static Object identity(Path file) throws IOException {
        return Objects.requireNonNull(
                Files.readAttributes(file, BasicFileAttributes.class).fileKey(), "this file system numbers its files");
    }
}
