package dev.hal0.journal;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A page of one table, newest first. Values are always parameters. Not thread-safe; used once. */
final class Select<T> {
    interface Mapper<T> {
        T map(Columns columns) throws SQLException;
    }

    private final String table;
    private final Mapper<T> mapper;
    private final List<String> terms = new ArrayList<>();
    private final List<Object> values = new ArrayList<>();

    Select(String table, Mapper<T> mapper) {
        this.table = table;
        this.mapper = mapper;
    }

    /** @param term with as many question marks as there are values; it is left out when the value is null */
    Select<T> where(String term, @Nullable Object value) {
        if (value != null) {
            terms.add(term);
            term.chars().filter(c -> c == '?').forEach(each -> values.add(value));
        }
        return this;
    }

    Select<T> since(String column, @Nullable Instant inclusive) {
        return where(column + " >= ?", millis(inclusive));
    }

    Select<T> until(String column, @Nullable Instant exclusive) {
        return where(column + " < ?", millis(exclusive));
    }

    /** One row more than asked for tells whether there is a next page. */
    Page<T> page(Connection connection, Paging paging) throws SQLException {
        where("seq < ?", paging.before());
        String sql =
                "SELECT * FROM " + table + (terms.isEmpty() ? "" : " WHERE (" + String.join(") AND (", terms) + ")")
                        + " ORDER BY seq DESC LIMIT " + (paging.limit() + 1);
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < values.size(); i++) {
                statement.setObject(i + 1, values.get(i));
            }
            try (ResultSet result = statement.executeQuery()) {
                return read(result, paging.limit());
            }
        }
    }

    private Page<T> read(ResultSet result, int limit) throws SQLException {
        var rows = new ArrayList<T>();
        var columns = new Columns(result);
        long position = 0;
        while (result.next()) {
            if (rows.size() == limit) {
                return new Page<>(List.copyOf(rows), position);
            }
            position = result.getLong("seq");
            rows.add(mapper.map(columns));
        }
        return new Page<>(List.copyOf(rows), null);
    }

    /** Times beyond what a column can hold are beyond every row. */
    private static @Nullable Long millis(@Nullable Instant instant) {
        if (instant == null) {
            return null;
        }
        try {
            return instant.toEpochMilli();
        } catch (ArithmeticException beyond) {
            return instant.isBefore(Instant.EPOCH) ? Long.MIN_VALUE : Long.MAX_VALUE;
        }
    }
}
