package dev.hal0.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.hal0.testing.ShapedGguf;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The estimate against what llama-server reported for the same hollow model and the same arguments
 * ({@code packaging/engines/record-fit}). With {@code -Dhal0.fit.write=true} the comparison is written into docs/fit.md.
 */
class FitTableTest {
    private static final double MIB = 1 << 20;
    private static final Path GUIDE = Path.of("..", "docs", "fit.md");
    private static final String START = "<!-- table: FitTableTest -->\n";
    private static final String END = "<!-- end of table -->";

    /** Sizes in MiB, as reported; {@code anonymous} is what the idle process held beside its files. */
    record Row(
            String model,
            FitRequest request,
            double weights,
            double cache,
            double compute,
            double anonymous,
            String version) {
        double total() {
            return weights + cache + compute;
        }

        @Override
        public String toString() {
            return model + " " + request;
        }
    }

    @TempDir
    private static Path folder;

    @ParameterizedTest
    @MethodSource("rows")
    void estimate_isWithinATenthOfTheReport(Row row) {
        MemoryNeed need = need(row);

        assertThat(need.reportable() / MIB).isCloseTo(row.total(), within(row.total() / 10));
    }

    @ParameterizedTest
    @MethodSource("rows")
    void cache_isWhatTheEngineTakes(Row row) {
        // It rounds what it prints to a hundredth, per part.
        assertThat(need(row).cache().bytes() / MIB).isCloseTo(row.cache(), within(0.05));
    }

    @ParameterizedTest
    @MethodSource("rows")
    void process_holdsNoMoreThanCounted(Row row) {
        // Weights that the engine rearranged for this processor are in the process' own memory too, and those of a GPU
        // that is made of software.
        if (!row.model().equals("llama-q4") && !row.request().gpuLayers()) {
            assertThat(row.anonymous() - row.cache() - row.compute())
                    .isLessThan(need(row).runtime().bytes() / MIB);
        }
    }

    @Test
    void guide_showsThisTable() throws IOException {
        String guide = Files.readString(GUIDE);
        int start = guide.indexOf(START) + START.length();
        int end = guide.indexOf(END);
        if (Boolean.getBoolean("hal0.fit.write")) {
            Files.writeString(GUIDE, guide.substring(0, start) + table() + guide.substring(end));
        } else {
            assertThat(guide.substring(start, end)).isEqualTo(table());
        }
    }

    private static String table() throws IOException {
        var text = new StringBuilder("""
                | Model | Context × requests | ubatch | Cache | Weights | Cache | Compute | Total | Off by | Process |
                |---|---|---|---|---|---|---|---|---|---|
                """);
        for (Row row : rows()) {
            MemoryNeed need = need(row);
            FitRequest asked = row.request();
            double off = (need.reportable() / MIB / row.total() - 1) * 100;
            text.append(String.format(
                    Locale.ROOT,
                    "| %s | %d × %d | %d | %s | %s | %s | %s | %s | %+.1f %% | %.0f |%n",
                    row.model() + (asked.gpuLayers() ? ", on a GPU" : ""),
                    asked.context(),
                    asked.parallel(),
                    asked.ubatch(),
                    asked.keys().label() + " " + asked.values().label()
                            + (asked.flashAttention() ? "" : ", no flash attention"),
                    pair(need.weights().bytes(), row.weights()),
                    pair(need.cache().bytes(), row.cache()),
                    pair(need.compute().bytes(), row.compute()),
                    pair(need.reportable(), row.total()),
                    off,
                    need.runtime().bytes() / MIB));
        }
        return text.append("\nEngine: llama-server ")
                .append(rows().getFirst().version())
                .append(".\n")
                .toString();
    }

    private static String pair(long estimated, double reported) {
        return String.format(Locale.ROOT, "%.0f / %.0f", estimated / MIB, reported);
    }

    private static MemoryNeed need(Row row) {
        Path file = folder.resolve(row.model() + ".gguf");
        if (Files.notExists(file)) {
            ShapedGguf.write(row.model(), file);
        }
        return ModelFit.need(new GgufReader().read(file).shape(), row.request()).orElseThrow();
    }

    static List<Row> rows() throws IOException {
        try (InputStream in = FitTableTest.class.getResourceAsStream("fit-reported.csv")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .skip(1)
                    .map(FitTableTest::row)
                    .toList();
        }
    }

    private static Row row(String line) {
        // The last column has a comma in quotes.
        String[] cells = line.split(",", 13);
        var request = FitRequest.of(Integer.parseInt(cells[1]))
                .withParallel(Integer.parseInt(cells[2]))
                .withUbatch(Integer.parseInt(cells[3]))
                .withCache(
                        CacheType.named(cells[4]).orElseThrow(),
                        CacheType.named(cells[5]).orElseThrow())
                .withFlashAttention(!cells[6].equals("off"))
                .withGpuLayers(cells[7].equals("all"));
        return new Row(
                cells[0],
                request,
                Double.parseDouble(cells[8]),
                Double.parseDouble(cells[9]),
                Double.parseDouble(cells[10]),
                Double.parseDouble(cells[11]),
                cells[12].replace("\"", ""));
    }
}
