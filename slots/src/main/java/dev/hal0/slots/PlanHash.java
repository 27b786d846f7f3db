package dev.hal0.slots;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.TreeMap;

final class PlanHash {
    private PlanHash() {}

    static String of(LaunchPlan plan) {
        var text = new StringBuilder();
        append(text, plan.engine());
        append(text, plan.program());
        plan.arguments().forEach(argument -> append(text, argument));
        append(text, "environment");
        new TreeMap<>(plan.environment()).forEach((name, value) -> append(text, name + "=" + value));
        append(text, plan.host() + ":" + plan.port());
        append(text, Integer.toString(plan.permits()));
        plan.container().ifPresent(facts -> append(text, facts.toString()));
        try {
            var digest =
                    MessageDigest.getInstance("SHA-256").digest(text.toString().getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException impossible) {
            throw new AssertionError("every JDK has SHA-256", impossible);
        }
    }

    /** Length first, so that no two different lists give the same text. */
    private static void append(StringBuilder text, String part) {
        text.append(part.length()).append(':').append(part).append('\n');
    }
}
