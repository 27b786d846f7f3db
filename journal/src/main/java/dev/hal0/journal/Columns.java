package dev.hal0.journal;

import dev.hal0.kernel.Json;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The columns of the current row, by name. NULL is null; those that cannot be NULL say so. */
final class Columns {
    private final ResultSet row;

    Columns(ResultSet row) {
        this.row = row;
    }

    String text(String name) throws SQLException {
        return Objects.requireNonNull(row.getString(name), name);
    }

    @Nullable
    String textOrNull(String name) throws SQLException {
        return row.getString(name);
    }

    Instant time(String name) throws SQLException {
        return Instant.ofEpochMilli(row.getLong(name));
    }

    @Nullable
    Instant timeOrNull(String name) throws SQLException {
        Long millis = numberOrNull(name);
        return millis == null ? null : Instant.ofEpochMilli(millis);
    }

    boolean flag(String name) throws SQLException {
        return row.getInt(name) != 0;
    }

    @Nullable
    Long numberOrNull(String name) throws SQLException {
        long value = row.getLong(name);
        return row.wasNull() ? null : (Long) value;
    }

    Object json(String name) throws SQLException {
        return Json.LENIENT.readTree(text(name));
    }

    @Nullable
    Object jsonOrNull(String name) throws SQLException {
        String text = row.getString(name);
        return text == null ? null : Json.LENIENT.readTree(text);
    }
}
