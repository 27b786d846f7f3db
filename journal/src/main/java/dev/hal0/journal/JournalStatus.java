package dev.hal0.journal;

import com.fasterxml.jackson.annotation.JsonValue;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * How the history store is, for people and metrics. The counts are of this life of the control plane.
 *
 * @param problem one sentence; null unless the state is one to worry about
 * @param written rows that are in the file
 * @param queued rows that wait for the writer
 */
public record JournalStatus(
        Path file, State state, @Nullable String problem, long written, int queued, Dropped dropped) {

    public enum State {
        /** Being opened for the first time; rows wait. */
        OPENING,
        /** All is well. */
        OPEN,
        /** The last rows could not be stored, because the disk is full for instance; the next ones are tried again. */
        FAILING,
        /** There is no usable file; opening it is tried again from time to time. */
        UNAVAILABLE,
        /** The file is of a later version of hal0 and is not touched; a file at its place would be begun if it were moved. */
        NEWER,
        CLOSED;

        @JsonValue
        public String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * Rows that are lost to history.
     *
     * @param overflow more came than the writer could take
     * @param storage the file could not take them
     * @param invalid their payload is not JSON-able
     * @param late they came after the journal was closed
     */
    public record Dropped(long overflow, long storage, long invalid, long late) {
        public long total() {
            return overflow + storage + invalid + late;
        }
    }
}
