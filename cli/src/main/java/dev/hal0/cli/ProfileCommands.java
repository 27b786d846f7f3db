package dev.hal0.cli;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

@CommandLine.Command(
        name = "profile",
        description = "Named ways to run an engine.",
        subcommands = {
            ProfileCommands.ListProfiles.class,
            ProfileCommands.Show.class,
            ProfileCommands.Set.class,
            ProfileCommands.Reset.class,
            ProfileCommands.Remove.class
        })
final class ProfileCommands implements Runnable {
    @CommandLine.Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before the command runs
    CommandLine.Model.CommandSpec spec;

    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }

    private static String path(String name) {
        return "/api/profiles/" + Command.encode(name);
    }

    @CommandLine.Command(name = "list", aliases = "ls", description = "All profiles.")
    static final class ListProfiles extends Command {
        @Override
        public Integer call() {
            JsonNode profiles = api().get("/api/profiles");
            if (isJson()) {
                console().json(profiles);
                return ExitCode.OK;
            }
            var table = new Table("NAME", "FOR", "ENGINE", "FROM", "USED BY", "FLAGS");
            for (JsonNode profile : profiles) {
                String backend = text(profile, "backend");
                table.row(
                        text(profile, "name"),
                        backend.equals("-") ? text(profile, "device_class") : backend,
                        text(profile, "engine"),
                        origin(profile),
                        text(profile, "used_by"),
                        text(profile, "flags"));
            }
            table.print(console());
            return ExitCode.OK;
        }

        private static String origin(JsonNode profile) {
            if (!text(profile, "problem").equals("-")) {
                return "invalid";
            }
            if (!profile.path("seed").asBoolean(false)) {
                return "yours";
            }
            return profile.path("edited").asBoolean(false) ? "hal0, edited" : "hal0";
        }
    }

    @CommandLine.Command(name = "show", description = "One profile in full.")
    static final class Show extends Command {
        @Parameters(paramLabel = "NAME")
        String name = "";

        @Override
        public Integer call() {
            JsonNode profile = api().get(path(name));
            if (isJson()) {
                console().json(profile);
            } else {
                for (String key : profile.propertyNames()) {
                    console().line(Console.oneLine(String.format("%-13s %s", key, text(profile, key))));
                }
            }
            return ExitCode.OK;
        }
    }

    @CommandLine.Command(
            name = "set",
            description = "Change a profile, or make one. Running slots keep what they have.")
    static final class Set extends Command {
        @Parameters(paramLabel = "NAME")
        String name = "";

        @Option(names = "--from", paramLabel = "PROFILE", description = "Make it a copy of this one.")
        Optional<String> from = Optional.empty();

        @Option(names = "--flags", paramLabel = "FLAGS", description = "Engine flags in one word: --flags='-fa on'.")
        Optional<String> flags = Optional.empty();

        @Option(names = "--engine", paramLabel = "NAME", description = "The family that the flags are for.")
        Optional<String> engine = Optional.empty();

        @Option(names = "--image", paramLabel = "IMAGE", description = "Where slots run in containers.")
        Optional<String> image = Optional.empty();

        @Option(names = "--device-class", paramLabel = "CLASS", description = "gpu, cpu, npu, img or any.")
        Optional<String> deviceClass = Optional.empty();

        @Option(names = "--backend", paramLabel = "API", description = "rocm, vulkan or cuda.")
        Optional<String> backend = Optional.empty();

        @Option(names = "--intent", paramLabel = "TEXT", description = "What it is for.")
        Optional<String> intent = Optional.empty();

        @Override
        public Integer call() {
            var keys = new LinkedHashMap<String, Object>();
            flags.ifPresent(text -> keys.put("flags", text));
            engine.ifPresent(text -> keys.put("engine", text));
            image.ifPresent(text -> keys.put("image", text));
            deviceClass.ifPresent(text -> keys.put("device_class", text));
            backend.ifPresent(text -> keys.put("backend", text));
            intent.ifPresent(text -> keys.put("intent", text));
            from.ifPresent(other -> keys.put("cloned_from", other));
            if (keys.isEmpty()) {
                throw new CliFailure(
                        ExitCode.USAGE, "cli.usage", "Nothing to set.", "Name a key, such as --flags='-fa on'.");
            }
            boolean exists = false;
            for (JsonNode profile : api().get("/api/profiles")) {
                exists |= text(profile, "name").equals(name);
            }
            JsonNode answer;
            if (exists && from.isEmpty()) {
                answer = api().put(path(name), keys);
            } else {
                keys.put("name", name);
                answer = api().post("/api/profiles", keys);
            }
            if (isJson()) {
                console().json(answer);
            } else {
                console().next((exists ? "Changed" : "Made") + " profile " + name + "." + restart(answer));
            }
            return ExitCode.OK;
        }

        private static String restart(JsonNode profile) {
            String users = text(profile, "used_by");
            return users.equals("-") ? "" : " A restart applies it to: " + users.replace(",", ", ");
        }
    }

    @CommandLine.Command(name = "reset", description = "Take back every edit of a profile that ships with hal0.")
    static final class Reset extends Command {
        @Parameters(paramLabel = "NAME")
        String name = "";

        @Override
        public Integer call() {
            JsonNode before = api().get(path(name));
            JsonNode answer = api().post(path(name) + "/reset", Map.of());
            if (isJson()) {
                console().json(answer);
            } else {
                console()
                        .next("Profile " + name + " is as hal0 ships it. Its flags were: "
                                + Console.oneLine(text(before, "flags")));
            }
            return ExitCode.OK;
        }
    }

    @CommandLine.Command(
            name = "rm",
            aliases = {"delete", "remove"},
            description = "Delete a profile of your own that no slot uses.")
    static final class Remove extends Command {
        private static final List<String> KEYS =
                List.of("engine", "flags", "image", "device_class", "backend", "intent");

        @Parameters(paramLabel = "NAME")
        String name = "";

        @Option(
                names = {"-f", "--force", "-y", "--yes"},
                description = "Do not ask.")
        boolean force;

        @Override
        public Integer call() {
            JsonNode profile = api().get(path(name));
            confirm("Delete profile " + name + "?", force);
            JsonNode answer = api().delete(path(name), Duration.ofSeconds(30));
            if (isJson()) {
                console().json(answer);
            } else {
                var undo = new StringBuilder("hal0 profile set ").append(name);
                for (String key : KEYS) {
                    if (!text(profile, key).equals("-")) {
                        undo.append(" --")
                                .append(key.replace('_', '-'))
                                .append('=')
                                .append(quoted(Console.oneLine(text(profile, key))));
                    }
                }
                console().next("Deleted profile " + name + ". To have it back: " + undo);
            }
            return ExitCode.OK;
        }
    }
}
