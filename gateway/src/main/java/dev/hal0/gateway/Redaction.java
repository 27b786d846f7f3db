package dev.hal0.gateway;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Takes out of a text what looks like a secret or like binary content. It goes by shape: a secret in words of its own, or one
 * that a model writes token by token into a stream's events, is not recognised.
 */
final class Redaction {
    private static final String GONE = "[redacted]";

    /** @param replacement of {@link Matcher#replaceAll} */
    private record Rule(Pattern pattern, String replacement) {}

    private static final List<Rule> RULES = List.of(
            // The value may be cut off by the end of what is kept.
            rule(
                    "(?i)(\"[\\w-]*(?:api[_-]?key|authorization|passw(?:or)?d|secret|credential|(?:access|refresh|id|auth)[_-]?token)[\\w-]*\"\\s*:\\s*)\"(?:[^\"\\\\]|\\\\.){0,4096}+(?:\"|$)",
                    "$1\"" + GONE + "\""),
            rule("(?i)\\b(bearer|basic)\\s+[A-Za-z0-9._~+/=-]{8,}+", "$1 " + GONE),
            rule("\\beyJ[A-Za-z0-9_-]{8,}+\\.[A-Za-z0-9_-]++(?:\\.[A-Za-z0-9_-]*+)?", GONE),
            rule("\\b(?:sk|pk|rk|hf|ghp|gho|ghs|github_pat|glpat|xox[abpr])[-_][A-Za-z0-9_-]{12,}+", GONE),
            rule("\\bAKIA[A-Z0-9]{12,}+", GONE),
            rule("-----BEGIN [A-Z ]*PRIVATE KEY-----(?:[^-]|-(?!----))*+(?:-----END [A-Z ]*PRIVATE KEY-----)?", GONE));

    /** Images and recordings, and nothing that anybody reads. */
    private static final Pattern BINARY = Pattern.compile("[A-Za-z0-9+/_=-]{257,}+");

    private Redaction() {}

    private static Rule rule(String pattern, String replacement) {
        return new Rule(Pattern.compile(pattern), replacement);
    }

    static String of(String text) {
        String clean = text;
        for (Rule rule : RULES) {
            clean = rule.pattern().matcher(clean).replaceAll(rule.replacement());
        }
        return BINARY.matcher(clean).replaceAll(run -> "[" + run.group().length() + " characters]");
    }
}
