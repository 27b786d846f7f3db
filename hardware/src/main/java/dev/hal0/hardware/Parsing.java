package dev.hal0.hardware;

import java.math.BigInteger;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Text forms that the kernel and its tools share. */
final class Parsing {
    private static final Pattern DIGITS = Pattern.compile("\\d{1,40}");

    /** No machine has an exbibyte; what claims to is a "no limit" marker, rounded to the kernel's page size or not. */
    private static final BigInteger NO_LIMIT = BigInteger.ONE.shiftLeft(60);

    private static final long BYTES_PER_MIB = 1 << 20;

    /** {@code card2} before {@code card10}, whatever order the file system lists them in. */
    static final Comparator<String> NATURAL_ORDER = Comparator.comparing((String name) -> name.replaceAll("\\d+$", ""))
            .thenComparing(name -> number(name.replaceAll("^.*?(\\d*)$", "$1")).orElse(-1))
            .thenComparing(Comparator.naturalOrder());

    private Parsing() {}

    /** A decimal number of at least 0; empty for anything else, and for what can only mean "no limit". */
    static OptionalLong number(String text) {
        String digits = text.strip();
        if (!DIGITS.matcher(digits).matches()) {
            return OptionalLong.empty();
        }
        var value = new BigInteger(digits);
        return value.compareTo(NO_LIMIT) >= 0 ? OptionalLong.empty() : OptionalLong.of(value.longValueExact());
    }

    static @Nullable Long numberOrNull(@Nullable String text) {
        return text == null ? null : boxed(number(text));
    }

    static @Nullable Long boxed(OptionalLong value) {
        return value.isPresent() ? value.getAsLong() : null;
    }

    static @Nullable Long mebibytes(OptionalLong bytes) {
        return bytes.isPresent() ? bytes.getAsLong() / BYTES_PER_MIB : null;
    }

    /** {@code KEY=value} lines, quotes around a value removed; the first of a repeated key wins. */
    static Map<String, String> assignments(String text) {
        var pairs = new LinkedHashMap<String, String>();
        text.lines().forEach(line -> {
            int equals = line.indexOf('=');
            if (equals > 0) {
                pairs.putIfAbsent(
                        line.substring(0, equals).strip(),
                        unquoted(line.substring(equals + 1).strip()));
            }
        });
        return pairs;
    }

    /** A slot address in one spelling: {@code 00000000:C5:00.0} and {@code c5:00.0} are {@code 0000:c5:00.0}. */
    static String pciSlot(String text) {
        String slot = text.strip().toLowerCase(Locale.ROOT);
        long colons = slot.chars().filter(character -> character == ':').count();
        if (colons < 2) {
            return "0000:" + slot;
        }
        int domain = slot.indexOf(':');
        return domain <= 4 ? slot : slot.substring(domain - 4);
    }

    static boolean containsIgnoringCase(@Nullable String text, String part) {
        return text != null && text.toLowerCase(Locale.ROOT).contains(part.toLowerCase(Locale.ROOT));
    }

    private static String unquoted(String value) {
        boolean quoted = value.length() >= 2
                && (value.startsWith("\"") && value.endsWith("\"") || value.startsWith("'") && value.endsWith("'"));
        return quoted ? value.substring(1, value.length() - 1) : value;
    }
}
