package dev.hal0.journal;

import dev.hal0.kernel.DurableFiles;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sqlite.SQLiteConfig;

/** Opens the file, for writing or reading, and moves away what is not usable. */
final class DatabaseFile {
    private static final Logger log = LoggerFactory.getLogger(DatabaseFile.class);
    private static final DateTimeFormatter STAMP =
            DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);

    /** SQLite's own retries against another program, such as a sqlite3 shell; the queue holds the rows meanwhile. */
    private static final int BUSY_MS = 5_000;

    /** The journal is of a version that this program does not know. */
    static final class NewerSchemaException extends Exception {
        private static final long serialVersionUID = 1L;

        NewerSchemaException(Path file, int version) {
            super(file + " has schema " + version + " and this hal0 knows those up to " + Schema.VERSION
                    + ": it is neither written nor read");
        }
    }

    private final Path path;
    private final InstantSource clock;

    DatabaseFile(Path path, InstantSource clock) {
        this.path = path;
        this.clock = clock;
    }

    Path path() {
        return path;
    }

    /**
     * Opens for writing, with the present schema. A file that is damaged, unreadable or no journal is moved aside first.
     *
     * @throws SQLException also when the disk is full or failing: that is no fault of the file, which stays
     */
    Connection openForWriting() throws SQLException, IOException, NewerSchemaException {
        Files.createDirectories(path.toAbsolutePath().getParent());
        String fault = unusable();
        if (fault == null) {
            try {
                return openOrCreate();
            } catch (DamagedException damaged) {
                fault = String.valueOf(damaged.getMessage());
            } catch (SQLException failure) {
                if (Failure.of(failure) != Failure.CORRUPT) {
                    throw failure;
                }
                fault = String.valueOf(failure.getMessage());
            }
        }
        moveAside(fault);
        try {
            return openOrCreate();
        } catch (DamagedException anew) {
            throw new IOException("a new file is damaged at once", anew);
        }
    }

    Connection openForReading() throws SQLException {
        var config = new SQLiteConfig();
        config.setReadOnly(true);
        config.setBusyTimeout(BUSY_MS);
        return DriverManager.getConnection(url(), config.toProperties());
    }

    /** The renamed file opens as it is: what SQLite keeps beside it goes with it, under the names that it looks for. */
    void moveAside(String fault) throws IOException {
        Path broken = unused(path.resolveSibling(path.getFileName() + ".broken-" + STAMP.format(clock.instant())));
        Files.move(path, broken);
        for (String companion : new String[] {"-wal", "-shm"}) {
            Path beside = path.resolveSibling(path.getFileName() + companion);
            if (Files.exists(beside, LinkOption.NOFOLLOW_LINKS)) {
                Files.move(beside, broken.resolveSibling(broken.getFileName() + companion));
            }
        }
        log.warn("{} is unusable ({}). It is now {}, and a new history begins", path, fault, broken);
    }

    /** The first sign of damage, or null. Reads the whole file, over a connection that remembers none of it. */
    @Nullable
    String damage() throws SQLException {
        try (Connection fresh = openForReading()) {
            return damage(fresh);
        }
    }

    static @Nullable String damage(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery("PRAGMA quick_check(1)")) {
            String first = result.next() ? result.getString(1) : "no answer from the check";
            return "ok".equals(first) ? null : first;
        }
    }

    private Connection openOrCreate() throws SQLException, IOException, NewerSchemaException, DamagedException {
        createPrivate();
        var config = new SQLiteConfig();
        config.setBusyTimeout(BUSY_MS);
        Connection connection = DriverManager.getConnection(url(), config.toProperties());
        try {
            prepare(connection);
            return connection;
        } catch (SQLException | RuntimeException | NewerSchemaException | DamagedException failure) {
            connection.close();
            throw failure;
        }
    }

    /** Nothing is written before the file is known to be ours and of a version that we know. */
    private void prepare(Connection connection) throws SQLException, NewerSchemaException, DamagedException {
        int version = Schema.version(connection);
        if (!Schema.isOurs(connection)) {
            throw new DamagedException("it is another program's");
        }
        if (version > Schema.VERSION) {
            throw new NewerSchemaException(path, version);
        }
        String damage = damage(connection);
        if (damage != null) {
            throw new DamagedException(damage);
        }
        try (Statement statement = connection.createStatement()) {
            // Only an empty file takes this one, and WAL makes it a non-empty one.
            statement.execute("PRAGMA auto_vacuum = INCREMENTAL");
            statement.execute("PRAGMA journal_mode = WAL");
            statement.execute("PRAGMA synchronous = NORMAL");
            // A write-ahead log that grew while a reader held it back is cut afterwards.
            statement.execute("PRAGMA journal_size_limit = 16777216");
            statement.execute("PRAGMA temp_store = MEMORY");
        }
        Schema.migrate(connection);
    }

    /** SQLite gives the files beside it the same mode: who called what is nobody else's business. */
    private void createPrivate() throws IOException {
        try {
            Files.createFile(path, PosixFilePermissions.asFileAttribute(DurableFiles.PRIVATE));
        } catch (FileAlreadyExistsException opened) {
            log.debug("{} exists", path);
        }
    }

    private @Nullable String unusable() {
        if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            return null;
        }
        if (!Files.isRegularFile(path)) {
            return "it is no file";
        }
        return Files.isReadable(path) && Files.isWritable(path) ? null : "this user may not read and write it";
    }

    private static Path unused(Path wanted) {
        Path candidate = wanted;
        for (int i = 2; Files.exists(candidate, LinkOption.NOFOLLOW_LINKS); i++) {
            candidate = wanted.resolveSibling(wanted.getFileName() + "-" + i);
        }
        return candidate;
    }

    private String url() {
        return "jdbc:sqlite:" + path.toAbsolutePath();
    }

    private static final class DamagedException extends Exception {
        private static final long serialVersionUID = 1L;

        DamagedException(String message) {
            super(message);
        }
    }
}
