package dev.hal0.cli;

import java.util.ArrayList;
import java.util.List;

/** Rows under a header, aligned; on a terminal the widest columns give way until a row fits into a line. */
final class Table {
    private static final String GAP = "  ";

    /** A column is not made narrower than this, or than its header: what is left says nothing any more. */
    private static final int NARROWEST = 6;

    private final List<String> header;
    private final List<List<String>> rows = new ArrayList<>();

    Table(String... header) {
        this.header = List.of(header);
    }

    /** @param cells as many as the header has, plain text */
    Table row(String... cells) {
        var row = new ArrayList<String>(cells.length);
        for (String cell : cells) {
            row.add(Console.oneLine(cell));
        }
        rows.add(row);
        return this;
    }

    void print(Console console) {
        int[] widths = widths(console.columns());
        console.line(line(header, widths, console, false));
        for (List<String> row : rows) {
            console.line(line(row, widths, console, true));
        }
    }

    private int[] widths(int available) {
        int[] widths = new int[header.size()];
        for (int i = 0; i < widths.length; i++) {
            widths[i] = TextWidth.of(header.get(i));
            for (List<String> row : rows) {
                widths[i] = Math.max(widths[i], TextWidth.of(row.get(i)));
            }
        }
        int total = GAP.length() * (widths.length - 1);
        for (int width : widths) {
            total += width;
        }
        for (; total > available; total--) {
            int widest = widest(widths);
            if (widest < 0) {
                break;
            }
            widths[widest]--;
        }
        return widths;
    }

    /** @return -1 if none can give more; the first column is what one types, so it stays whole */
    private int widest(int[] widths) {
        int widest = -1;
        for (int i = 1; i < widths.length; i++) {
            boolean gives = widths[i] > Math.max(NARROWEST, TextWidth.of(header.get(i)));
            if (gives && (widest < 0 || widths[i] > widths[widest])) {
                widest = i;
            }
        }
        return widest;
    }

    private String line(List<String> row, int[] widths, Console console, boolean coloured) {
        var line = new StringBuilder();
        for (int i = 0; i < widths.length; i++) {
            String cell = TextWidth.cut(row.get(i), widths[i]);
            int padding = widths[i] - TextWidth.of(cell) + GAP.length();
            line.append(coloured && header.get(i).equals("STATE") ? console.state(cell) : cell);
            if (i + 1 < widths.length) {
                line.repeat(' ', padding);
            }
        }
        return line.toString().stripTrailing();
    }
}
