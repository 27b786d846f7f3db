package dev.hal0.hardware.live;

import dev.hal0.hardware.Host;
import org.jspecify.annotations.Nullable;

/** How busy all processors were since the last call. */
final class CpuReader implements PartReader<Share> {
    private static final int IDLE = 3;
    private static final int IOWAIT = 4;

    /** User to steal, which is time the machine was wanted and kept away. The two guest columns behind them are part of user and nice already. */
    private static final int COLUMNS = 8;

    /** Kernels before 2.6 had four columns; every one since has at least seven. */
    private static final int FEWEST_COLUMNS = 5;

    private final Host host;
    private final ActivityCounter counter = new ActivityCounter();

    CpuReader(Host host) {
        this.host = host;
    }

    @Override
    public Outcome<Share> read(boolean watched) {
        long[] columns = columns();
        if (columns == null) {
            counter.forget();
            return new Outcome.Gone<>();
        }
        long idle = columns[IDLE] + columns[IOWAIT];
        long all = 0;
        for (long column : columns) {
            all += column;
        }
        return new Outcome.Value<>(new Share(counter.percent(all - idle, idle)));
    }

    private long @Nullable [] columns() {
        String line = host.read("/proc/stat").orElse("").lines().findFirst().orElse("");
        String[] words = line.strip().split("\\s+");
        int columns = Math.min(words.length - 1, COLUMNS);
        if (!words[0].equals("cpu") || columns < FEWEST_COLUMNS) {
            return null;
        }
        var values = new long[columns];
        for (int column = 0; column < columns; column++) {
            try {
                values[column] = Long.parseLong(words[column + 1]);
            } catch (NumberFormatException notACounter) {
                return null;
            }
        }
        return values;
    }
}
