package dev.hal0.cli;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

/** What is on the disk already, what is gone, and what fits. */
final class ModelDiscoveryCommands {
    /** A scan looks for at most half a minute; reading the headers of what it found may take as long again. */
    private static final Duration SCANNING = Duration.ofSeconds(90);

    private ModelDiscoveryCommands() {}

    private static String size(JsonNode bytes) {
        return bytes.isNumber() ? Console.size(bytes.asLong()) : "unknown";
    }

    @CommandLine.Command(
            name = "scan",
            description =
                    "Find model files: in the store, the configured folders and where other programs keep theirs, or"
                            + " in the folders named. Shows them; --adopt registers them where they are.")
    static final class Scan extends Command {
        @Parameters(paramLabel = "FOLDER", arity = "0..*")
        List<String> folders = new ArrayList<>();

        @Option(names = "--adopt", description = "Register what was found and is not registered.")
        boolean adopt;

        @Override
        public Integer call() {
            Api api = api();
            var body = new LinkedHashMap<String, Object>();
            if (!folders.isEmpty()) {
                body.put(
                        "paths",
                        folders.stream().map(ModelCommands.Add::absolute).toList());
            }
            JsonNode found = api.post("/api/models/scan/preview", body, SCANNING);
            Optional<JsonNode> adopted = adopt ? Optional.of(adopt(api, found)) : Optional.empty();
            if (isJson()) {
                console().json(adopted.isPresent() ? Map.of("found", found, "adopted", adopted.get()) : found);
                return ExitCode.OK;
            }
            show(found);
            adopted.ifPresentOrElse(this::showAdopted, () -> next(found));
            return ExitCode.OK;
        }

        private static JsonNode adopt(Api api, JsonNode found) {
            var rows = new ArrayList<Map<String, Object>>();
            for (JsonNode row : found.path("preview")) {
                if (row.path("already_registered").isNull()) {
                    rows.add(Map.of(
                            "path", row.path("path").asString(""),
                            "id", row.path("suggested_id").asString("")));
                }
            }
            return api.post("/api/models/scan", Map.of("rows", rows), SCANNING);
        }

        private void show(JsonNode found) {
            var table = new Table("ID", "CAN", "SURE", "SIZE", "QUANT", "FROM", "PATH");
            for (JsonNode row : found.path("preview")) {
                String registered = row.path("already_registered").asString("");
                table.row(
                        registered.isEmpty() ? text(row, "suggested_id") : registered + " (registered)",
                        text(row, "capability"),
                        text(row, "confidence"),
                        size(row.path("size_bytes")),
                        text(row, "quantization"),
                        text(row, "kind"),
                        text(row, "path"));
            }
            table.print(console());
            for (JsonNode skipped : found.path("skipped")) {
                console().note(Console.oneLine("left out: " + text(skipped, "path") + ": " + text(skipped, "reason")));
            }
            for (JsonNode root : found.path("roots")) {
                if (!text(root, "state").equals("ok")) {
                    console()
                            .note(Console.oneLine(
                                    "not looked into: " + text(root, "path") + " is " + text(root, "state")));
                }
            }
            for (JsonNode warning : found.path("warnings")) {
                console().note(Console.oneLine(warning.asString("")));
            }
        }

        private void showAdopted(JsonNode adopted) {
            for (JsonNode id : adopted.path("added")) {
                console().line("Registered " + Console.oneLine(id.asString("")) + ".");
            }
            for (JsonNode skipped : adopted.path("skipped")) {
                console()
                        .note(Console.oneLine(
                                "not registered: " + text(skipped, "path") + ": " + text(skipped, "reason")));
            }
        }

        private void next(JsonNode found) {
            boolean unregistered = false;
            for (JsonNode row : found.path("preview")) {
                unregistered |= row.path("already_registered").isNull();
            }
            if (unregistered) {
                console().note("Next: hal0 model scan --adopt registers them where they are.");
            }
        }
    }

    @CommandLine.Command(name = "prune", description = "Forget models whose file is gone for certain.")
    static final class Prune extends Command {
        @Option(
                names = {"-f", "--force", "-y", "--yes"},
                description = "Do not ask.")
        boolean force;

        @Override
        public Integer call() {
            Api api = api();
            JsonNode preview = api.post("/api/models/prune", Map.of("apply", false), SCANNING);
            if (!isJson()) {
                for (JsonNode row : preview.path("kept")) {
                    console().note(Console.oneLine("kept: " + text(row, "id") + ": " + text(row, "reason")));
                }
                for (JsonNode row : preview.path("gone")) {
                    console().line(Console.oneLine(text(row, "id") + "  " + text(row, "path")));
                }
            }
            JsonNode result = preview;
            if (!preview.path("gone").isEmpty()) {
                confirm("Forget " + preview.path("gone").size() + " models whose files are gone?", force);
                result = api.post("/api/models/prune", Map.of("apply", true), SCANNING);
            }
            if (isJson()) {
                console().json(result);
            } else {
                console()
                        .line(
                                preview.path("gone").isEmpty()
                                        ? "Nothing is gone."
                                        : "Forgot " + result.path("gone").size() + ".");
            }
            return ExitCode.OK;
        }
    }

    @CommandLine.Command(name = "fit", description = "Whether a model fits into what is free now.")
    static final class Fit extends Command {
        @Parameters(paramLabel = "ID")
        String id = "";

        @Option(names = "--ctx-size", paramLabel = "TOKENS")
        Optional<Integer> contextSize = Optional.empty();

        @Option(names = "--parallel", paramLabel = "REQUESTS")
        Optional<Integer> parallel = Optional.empty();

        @Option(names = "--device", paramLabel = "DEVICE")
        Optional<String> device = Optional.empty();

        @Option(names = "--cache-type", paramLabel = "TYPE", description = "Of keys and values: f16, q8_0, q4_0…")
        Optional<String> cacheType = Optional.empty();

        @Option(names = "--instead-of", paramLabel = "SLOT", description = "Count what this slot would give back.")
        Optional<String> slot = Optional.empty();

        @Override
        public Integer call() {
            var body = new LinkedHashMap<String, Object>();
            contextSize.ifPresent(value -> body.put("context_size", value));
            parallel.ifPresent(value -> body.put("parallel", value));
            device.ifPresent(value -> body.put("device", value));
            cacheType.ifPresent(value -> body.put("cache_type", value));
            slot.ifPresent(value -> body.put("slot", value));
            JsonNode fit = api().post("/api/models/" + encode(id) + "/fit", body);
            if (isJson()) {
                console().json(fit);
                return ExitCode.OK;
            }
            console()
                    .line(Console.oneLine(id) + " with " + text(fit, "context_size") + " tokens: "
                            + text(fit, "verdict"));
            console()
                    .line("needs " + size(fit.path("need_bytes")) + ", " + size(fit.path("headroom_bytes"))
                            + " free (limited by " + text(fit, "limited_by") + "), largest context "
                            + text(fit, "largest_context"));
            for (String part : List.of("weights", "cache", "compute", "runtime")) {
                JsonNode one = fit.path("need").path(part);
                if (!one.isMissingNode()) {
                    console()
                            .line("  " + part + " " + size(one.path("bytes")) + "  "
                                    + Console.oneLine(one.path("formula").asString("")));
                }
            }
            for (JsonNode missing : fit.path("missing")) {
                console().note(Console.oneLine("unknown: " + missing.asString("")));
            }
            return ExitCode.OK;
        }
    }

    @CommandLine.Command(name = "registry", description = "The list of models.", subcommands = Import.class)
    static final class Registry implements Runnable {
        @CommandLine.Spec
        @SuppressWarnings("NullAway.Init") // picocli sets it before the command runs
        CommandLine.Model.CommandSpec spec;

        @Override
        public void run() {
            spec.commandLine().usage(spec.commandLine().getOut());
        }
    }

    @CommandLine.Command(name = "import", description = "Take over the list of models from a backup archive (tar.gz).")
    static final class Import extends Command {
        @Parameters(paramLabel = "ARCHIVE")
        String archive = "";

        @Option(
                names = {"-f", "--force"},
                description = "Replace the present list; it is kept as a backup.")
        boolean force;

        @Override
        public Integer call() {
            JsonNode summary = api().post(
                            "/api/registry/import",
                            Map.of("path", ModelCommands.Add.absolute(archive), "force", force),
                            SCANNING);
            if (isJson()) {
                console().json(summary);
                return ExitCode.OK;
            }
            console()
                    .line("Imported " + summary.path("present").size() + " models; "
                            + summary.path("missing").size() + " without a file, "
                            + summary.path("unavailable").size() + " on a volume that is not there, "
                            + summary.path("changed").size() + " changed.");
            summary.path("faults")
                    .properties()
                    .forEach(fault -> console()
                            .note(Console.oneLine(
                                    fault.getKey() + ": " + fault.getValue().asString(""))));
            for (JsonNode note : summary.path("notes")) {
                console().note(Console.oneLine(note.asString("")));
            }
            console().next(summary.path("next").asString(""));
            return ExitCode.OK;
        }
    }
}
