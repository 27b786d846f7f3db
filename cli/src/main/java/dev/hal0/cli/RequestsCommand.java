package dev.hal0.cli;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

/** Inference requests: those that have ended, and with {@code --live} those that are under way. */
@CommandLine.Command(
        name = "requests",
        description = "Inference requests: who asked what, how it ended and where the time went.",
        subcommands = {RequestsCommand.Cancel.class, RequestsCommand.Show.class, CaptureCommand.class})
final class RequestsCommand extends Command {
    private static final long POLL_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final int MOST = 1000;
    private static final String CLEAR_SCREEN = "\u001b[H\u001b[2J";

    @Option(names = "--live", description = "Those that are under way now.")
    boolean live;

    @Option(
            names = {"-f", "--follow"},
            description = "Go on until Ctrl-C.")
    boolean follow;

    @Option(names = "--slot", paramLabel = "NAME", description = "Of one slot.")
    String slot = "";

    @Option(names = "--caller", paramLabel = "NAME", description = "Of one key or address.")
    String caller = "";

    @Option(
            names = "--outcome",
            paramLabel = "OUTCOME",
            description = "complete, client_gone, cancelled, engine_lost, revoked, time_limit, refused or failed.")
    String outcome = "";

    @Option(names = "--since", paramLabel = "TIME", description = "Such as 2026-01-31T12:00:00Z.")
    String since = "";

    @Option(names = "--min-ms", paramLabel = "MS", description = "That took at least this long.")
    int leastMs = -1;

    @Option(
            names = {"-n", "--limit"},
            paramLabel = "N",
            description = "At most so many, 1 to 1000 (default 30).")
    int limit = 30;

    @Override
    public Integer call() {
        if (limit < 1 || limit > MOST) {
            throw new CliFailure(ExitCode.USAGE, "cli.usage", "--limit must be 1 to 1000, not " + limit + ".", "");
        }
        if (live) {
            if (follow) {
                followLive();
            } else {
                JsonNode requests = api().get("/api/inflight");
                show(requests, liveTable(requests));
            }
        } else if (follow) {
            followEnded();
        } else {
            JsonNode page = api().get(query(limit));
            show(page, endedTable(page.path("rows")));
        }
        return ExitCode.OK;
    }

    private void show(JsonNode document, Table table) {
        if (isJson()) {
            console().json(document);
        } else {
            table.print(console());
        }
    }

    private String query(int most) {
        var query = new StringBuilder("/api/requests?limit=").append(most);
        filter(query, "slot", slot);
        filter(query, "caller", caller);
        filter(query, "outcome", outcome);
        filter(query, "since", since);
        filter(query, "min_ms", leastMs < 0 ? "" : Integer.toString(leastMs));
        return query.toString();
    }

    private static void filter(StringBuilder query, String name, String value) {
        if (!value.isEmpty()) {
            query.append('&').append(name).append('=').append(encode(value));
        }
    }

    /** Asks again and again: a request that ended is in the journal a moment later. */
    private void followEnded() {
        Api api = api();
        Set<String> known = Set.of();
        for (int most = limit; !console().isBroken(); most = MOST) {
            var rows = new ArrayList<JsonNode>();
            var seen = new HashSet<String>();
            for (JsonNode row : api.get(query(most)).path("rows")) {
                String key = text(row, "id") + ' ' + text(row, "at");
                seen.add(key);
                if (!known.contains(key)) {
                    rows.addFirst(row);
                }
            }
            rows.forEach(row -> console().line(isJson() ? row.toString() : line(row)));
            seen.addAll(known.size() > 10L * MOST ? Set.of() : known);
            known = seen;
            LockSupport.parkNanos(POLL_NANOS);
        }
    }

    private static String line(JsonNode row) {
        return Console.oneLine(String.join("  ", cells(row)));
    }

    /** At a terminal one picture that changes; elsewhere a line for each change of phase. */
    private void followLive() {
        Map<String, String> phases = new HashMap<>();
        try (var stream = api().stream("GET", "/api/stream?types=inflight", null)) {
            stream.forEach(event -> {
                if (event.name().equals("inflight")) {
                    JsonNode requests = event.json().path("requests");
                    if (isJson()) {
                        console().line(event.data());
                    } else if (console().isOutputATerminal()) {
                        console().text(CLEAR_SCREEN);
                        liveTable(requests).print(console());
                    } else {
                        tellChanges(requests, phases);
                    }
                }
                if (console().isBroken()) {
                    stream.close();
                }
            });
        }
    }

    private void tellChanges(JsonNode requests, Map<String, String> phases) {
        var now = new HashMap<String, String>();
        for (JsonNode request : requests) {
            String id = text(request, "id");
            now.put(id, text(request, "phase"));
            if (!text(request, "phase").equals(phases.get(id))) {
                console().line(Console.oneLine(String.join("  ", liveCells(request))));
            }
        }
        phases.keySet().stream()
                .filter(id -> !now.containsKey(id))
                .sorted()
                .forEach(id -> console().line(Console.oneLine(id + "  over")));
        phases.clear();
        phases.putAll(now);
    }

    private static Table liveTable(JsonNode requests) {
        var table = new Table("ID", "CALLER", "SLOT", "MODEL", "PHASE", "TOKENS", "AGE");
        requests.forEach(request -> table.row(liveCells(request).toArray(String[]::new)));
        return table;
    }

    private static List<String> liveCells(JsonNode request) {
        return List.of(
                text(request, "id"),
                text(request, "caller"),
                text(request, "slot"),
                text(request, request.path("model").isNull() ? "requested_model" : "model"),
                phase(request),
                text(request, "tokens"),
                seconds(request.path("age_ms")));
    }

    private static String phase(JsonNode request) {
        String phase = text(request, "phase");
        if (request.path("position").isNumber()) {
            return phase + " #" + text(request, "position");
        }
        long all = request.path("prompt_tokens").asLong(0);
        return all > 0 ? phase + " " + 100 * request.path("prompt_done").asLong(0) / all + "%" : phase;
    }

    private static Table endedTable(JsonNode rows) {
        var table = new Table("TIME", "ID", "SLOT", "MODEL", "OUTCOME", "IN", "OUT", "TOK/S", "FIRST", "TOTAL");
        rows.forEach(row -> table.row(cells(row).toArray(String[]::new)));
        return table;
    }

    private static List<String> cells(JsonNode row) {
        JsonNode tokens = row.path("tokens");
        JsonNode timings = row.path("timings");
        String outcome = text(row, "outcome");
        return List.of(
                text(row, "at"),
                text(row, "id"),
                text(row, "slot"),
                text(row, row.path("model").isNull() ? "requested_model" : "model"),
                outcome.equals("complete") ? outcome : outcome + " " + text(row, "error_code"),
                text(tokens, "prompt"),
                text(tokens, "completion"),
                text(row, "tokens_per_second"),
                seconds(timings.path("ttft_ms")),
                seconds(timings.path("total_ms")));
    }

    /** "-" where nobody measured it. */
    private static String seconds(JsonNode millis) {
        return millis.isNumber() ? Console.oneDecimal(millis.asLong() / 1_000.0) + " s" : "-";
    }

    @CommandLine.Command(name = "cancel", description = "End a request that is under way.")
    static final class Cancel extends Command {
        @Parameters(paramLabel = "ID")
        String id = "";

        @Override
        public Integer call() {
            JsonNode cancelled = api().delete("/api/inflight/" + encode(id), java.time.Duration.ZERO);
            if (isJson()) {
                console().json(cancelled);
            } else {
                int requests = cancelled.path("requests").asInt(0);
                console().line("Ended " + Console.oneLine(id) + (requests == 1 ? "" : ": " + requests + " requests"));
            }
            return ExitCode.OK;
        }
    }

    @CommandLine.Command(name = "show", description = "All that is known of one request.")
    static final class Show extends Command {
        @Parameters(paramLabel = "ID")
        String id = "";

        @Override
        public Integer call() {
            JsonNode rows = api().get("/api/requests?id=" + encode(id)).path("rows");
            if (rows.isEmpty()) {
                throw new CliFailure(
                        ExitCode.NOT_FOUND,
                        "dispatch.not_recorded",
                        "No request " + id + " has ended and is recorded.",
                        "See `hal0 requests`, or `hal0 requests --live` for those under way.");
            }
            if (isJson()) {
                console().json(rows);
                return ExitCode.OK;
            }
            for (JsonNode row : rows) {
                tell(row, "");
            }
            return ExitCode.OK;
        }

        private void tell(JsonNode node, String prefix) {
            for (Map.Entry<String, JsonNode> field : node.properties()) {
                if (field.getValue().isObject()) {
                    tell(field.getValue(), field.getKey() + ".");
                } else {
                    String name = prefix + field.getKey();
                    console()
                            .line(name
                                    + " ".repeat(Math.max(1, 20 - name.length()))
                                    + Console.oneLine(text(node, field.getKey())));
                }
            }
        }
    }
}
