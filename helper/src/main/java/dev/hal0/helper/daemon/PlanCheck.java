package dev.hal0.helper.daemon;

import dev.hal0.helper.ContainerPlan;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Decides what of a plan root is willing to start. Everything in it is taken to be chosen by an enemy who has become the
 * control plane: what he may gain is an engine in a container, under his own uid, that reads models.
 */
final class PlanCheck {
    private static final int MOST_WORDS = 1024;
    private static final int LONGEST_WORD = 16 << 10;
    /** Of all words together; well below what the kernel takes for one program. */
    private static final int LARGEST_PLAN = 256 << 10;

    private static final int MOST_PIDS = 32_768;
    private static final long LEAST_MEMORY = 64L << 20;

    private static final Pattern LAUNCH = Pattern.compile("[0-9A-Za-z-]{8,128}");
    private static final Pattern HASH = Pattern.compile("[0-9a-f]{64}");
    private static final Pattern PROGRAM = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._+-]{0,63}");
    private static final Pattern VARIABLE = Pattern.compile("[A-Za-z_][A-Za-z0-9_]{0,127}");
    /** Registry and path in lower case, then a tag, a digest or both; nothing that could be taken for a flag. */
    private static final Pattern IMAGE = Pattern.compile("[a-z0-9][a-z0-9.-]*(:[0-9]{1,5})?(/[a-z0-9][a-z0-9._-]*)+"
            + "(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?");

    private final Policy policy;
    private final TrustedPath trust;

    PlanCheck(Policy policy, TrustedPath trust) {
        this.policy = policy;
        this.trust = trust;
    }

    /**
     * @return the model roots that the plan's container gets
     * @throws Hal0Exception {@code runtime.plan_refused} with the field's path
     */
    List<Path> check(ContainerPlan plan) {
        require(LAUNCH.matcher(plan.launch()).matches(), "launch", "has to be 8 to 128 letters, digits and '-'");
        require(HASH.matcher(plan.planHash()).matches(), "plan_hash", "has to be a SHA-256 in lower-case hex");
        image(plan.image());
        program(plan.program());
        require(plan.modelId().length() <= 512, "model_id", "is longer than 512 characters");
        word(plan.modelId(), "model_id");
        require(plan.arguments().size() <= MOST_WORDS, "arguments", "are more than " + MOST_WORDS);
        for (int i = 0; i < plan.arguments().size(); i++) {
            word(plan.arguments().get(i), "arguments[" + i + "]");
        }
        environment(plan.environment());
        long size = plan.arguments().stream().mapToLong(String::length).sum()
                + plan.environment().entrySet().stream()
                        .mapToLong(variable ->
                                variable.getKey().length() + variable.getValue().length())
                        .sum();
        require(size <= LARGEST_PLAN, "arguments", "and environment are longer than " + LARGEST_PLAN + " characters");
        require(
                plan.port() >= policy.firstPort() && plan.port() <= policy.lastPort(),
                "port",
                "is " + plan.port() + "; root allows " + policy.firstPort() + " to " + policy.lastPort());
        String key = policy.stateRoot()
                .resolve("slots")
                .resolve(plan.slot().value())
                .resolve("engine.key")
                .toString();
        require(plan.keyFile().equals(key), "key_file", "has to be " + key);
        require(
                policy.devices().contains(plan.devices().label()),
                "devices",
                "is '" + plan.devices().label() + "'; root allows " + policy.devices());
        require(!plan.outbound() || policy.outbound(), "outbound", "is true, and root allows no connections outwards");
        require(
                plan.pidsLimit() >= 1 && plan.pidsLimit() <= MOST_PIDS,
                "pids_limit",
                "is " + plan.pidsLimit() + "; it can be 1 to " + MOST_PIDS);
        Long memory = plan.memoryLimitBytes();
        require(
                memory == null || memory >= LEAST_MEMORY,
                "memory_limit_bytes",
                "is " + memory + "; it can be " + LEAST_MEMORY + " or more");
        return roots(plan.files());
    }

    void image(String reference) {
        require(
                reference.length() <= 512 && IMAGE.matcher(reference).matches(),
                "image",
                "is no full image reference, such as localhost/hal0-toolbox:cpu");
        require(
                policy.allowsImage(reference),
                "image",
                "is '" + reference + "'; root allows " + policy.images() + " (`images` in " + Policy.FILE + ")");
    }

    private void program(String program) {
        require(
                PROGRAM.matcher(program).matches() && policy.programs().contains(program),
                "program",
                "is not one that root allows: " + policy.programs());
    }

    private static void environment(Map<String, String> environment) {
        require(environment.size() <= MOST_WORDS, "environment", "has more than " + MOST_WORDS + " variables");
        environment.forEach((name, value) -> {
            require(VARIABLE.matcher(name).matches(), "environment", "has a name that no variable can have");
            word(value, "environment." + name);
        });
    }

    /** Each root once that one of the files is in. */
    private List<Path> roots(List<String> files) {
        require(files.size() <= MOST_WORDS, "files", "are more than " + MOST_WORDS);
        var roots = new ArrayList<Path>();
        for (int i = 0; i < files.size(); i++) {
            String field = "files[" + i + "]";
            word(files.get(i), field);
            Path file = Path.of(files.get(i));
            require(
                    file.isAbsolute() && file.normalize().toString().equals(files.get(i)),
                    field,
                    "has to be an absolute path without '..', '.' or '//'");
            Path root = policy.modelRoots().stream()
                    .filter(candidate -> file.startsWith(candidate) && !file.equals(candidate))
                    .findFirst()
                    .orElseThrow(() -> refused(
                            field,
                            "is outside of what containers may read: " + policy.modelRoots() + " (`model_roots` in "
                                    + Policy.FILE + ")"));
            if (!roots.contains(root)) {
                require(
                        MOUNTABLE.matcher(root.toString()).matches(),
                        field,
                        "is below a root whose name podman would misread");
                trust.requireFixed(root);
                roots.add(root);
            }
        }
        return roots;
    }

    /** Neither podman nor systemd has a way to quote a colon or a comma in a mount. */
    private static final Pattern MOUNTABLE = Pattern.compile("(/[A-Za-z0-9._+@-]+)+");

    /** Text that may become a word of a unit: encodable, of sane length, and without anything that ends a line somewhere. */
    private static void word(String text, String field) {
        require(text.length() <= LONGEST_WORD, field, "is longer than " + LONGEST_WORD + " characters");
        try {
            StandardCharsets.UTF_8.newEncoder().encode(java.nio.CharBuffer.wrap(text));
        } catch (CharacterCodingException half) {
            throw refused(field, "has half of a character");
        }
        text.codePoints()
                .filter(point -> Character.isISOControl(point) || isLineEnd(point) || isNonCharacter(point))
                .findFirst()
                .ifPresent(point -> {
                    throw refused(field, "has the control character U+%04X".formatted(point));
                });
    }

    private static boolean isLineEnd(int point) {
        return point == 0x2028 || point == 0x2029;
    }

    /** systemd drops a line with one. */
    private static boolean isNonCharacter(int point) {
        return (point & 0xFFFE) == 0xFFFE || (point >= 0xFDD0 && point <= 0xFDEF);
    }

    private static void require(boolean allowed, String field, String problem) {
        if (!allowed) {
            throw refused(field, problem);
        }
    }

    private static Hal0Exception refused(String field, String problem) {
        return new Hal0Exception(
                        ErrorCode.RUNTIME_PLAN_REFUSED, "Root refuses the plan: `" + field + "` " + problem + ".")
                .withParam(field);
    }
}
