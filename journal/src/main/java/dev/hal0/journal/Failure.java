package dev.hal0.journal;

import java.sql.SQLException;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

/** What an error of SQLite means for the one who met it. */
enum Failure {
    /** This row cannot be stored; the others can. */
    ROW,
    /** No space. The file is as it was before the transaction. */
    FULL,
    /** Another program held the file for longer than we wait. */
    BUSY,
    /** The deadline, or nobody wants the answer any more. */
    INTERRUPTED,
    /** The content is damaged, or is no database. */
    CORRUPT,
    /** Anything else, a failing disk for instance: the connection is not to be trusted any more. */
    OTHER;

    private static final int PRIMARY = 0xff;

    static Failure of(SQLException exception) {
        if (!(exception instanceof SQLiteException sqlite)) {
            return OTHER;
        }
        int code = sqlite.getResultCode().code & PRIMARY;
        if (is(SQLiteErrorCode.SQLITE_FULL, code)) {
            return FULL;
        }
        if (is(SQLiteErrorCode.SQLITE_BUSY, code) || is(SQLiteErrorCode.SQLITE_LOCKED, code)) {
            return BUSY;
        }
        if (is(SQLiteErrorCode.SQLITE_INTERRUPT, code)) {
            return INTERRUPTED;
        }
        if (is(SQLiteErrorCode.SQLITE_CORRUPT, code) || is(SQLiteErrorCode.SQLITE_NOTADB, code)) {
            return CORRUPT;
        }
        if (is(SQLiteErrorCode.SQLITE_CONSTRAINT, code)
                || is(SQLiteErrorCode.SQLITE_MISMATCH, code)
                || is(SQLiteErrorCode.SQLITE_TOOBIG, code)) {
            return ROW;
        }
        return OTHER;
    }

    private static boolean is(SQLiteErrorCode expected, int code) {
        return expected.code == code;
    }
}
