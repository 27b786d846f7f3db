package dev.hal0.runtime.install;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;

/**
 * A text in OpenPGP's cleartext framing. Read by hand and strictly, because that format's holes are all of one kind: one
 * reader checks other bytes than the next one uses. Here {@link #lines} are what is used, {@link #signed} is made of
 * nothing else, and whatever else a file may hold is refused.
 *
 * @param lines without dash escapes and without white space at their ends, which no signature covers
 * @param signature in ASCII armour
 */
record ClearSignedText(List<String> lines, String signature) {
    private static final String BEGIN = "-----BEGIN PGP SIGNED MESSAGE-----";
    private static final String BEGIN_SIGNATURE = "-----BEGIN PGP SIGNATURE-----";
    private static final String END_SIGNATURE = "-----END PGP SIGNATURE-----";
    private static final Pattern HEADER = Pattern.compile("Hash: [A-Za-z0-9, -]+");
    private static final Pattern CONTROL = Pattern.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u2028\\u2029]");

    ClearSignedText {
        lines = List.copyOf(lines);
    }

    static ClearSignedText parse(byte[] file) throws UntrustedIndexException {
        List<String> all = Arrays.asList(text(file).split("\n", -1));
        if (!all.getFirst().equals(BEGIN)) {
            throw new UntrustedIndexException("does not begin with " + BEGIN);
        }
        int at = 1;
        while (at < all.size() && HEADER.matcher(all.get(at)).matches()) {
            at++;
        }
        if (at == all.size() || !all.get(at).isEmpty()) {
            throw new UntrustedIndexException("has something else than a hash in its header");
        }
        int end = all.indexOf(BEGIN_SIGNATURE);
        int last = all.indexOf(END_SIGNATURE);
        if (end < 0 || last < end) {
            throw new UntrustedIndexException("has no whole signature");
        }
        if (!all.subList(last + 1, all.size()).stream().allMatch(String::isEmpty)) {
            throw new UntrustedIndexException("goes on after its signature");
        }
        var lines = new ArrayList<String>();
        for (String line : all.subList(at + 1, end)) {
            if (line.startsWith("-") && !line.startsWith("- ")) {
                throw new UntrustedIndexException("has a line that begins with an unescaped dash");
            }
            lines.add((line.startsWith("- ") ? line.substring(2) : line).replaceFirst("[ \\t]+$", ""));
        }
        return new ClearSignedText(lines, String.join("\n", all.subList(end, last + 1)) + "\n");
    }

    /** The bytes that the signature is over. */
    byte[] signed() {
        return String.join("\r\n", lines).getBytes(StandardCharsets.UTF_8);
    }

    private static String text(byte[] file) throws UntrustedIndexException {
        try {
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(file))
                    .toString();
            if (CONTROL.matcher(text).find()) {
                throw new UntrustedIndexException("holds control characters");
            }
            return text;
        } catch (CharacterCodingException binary) {
            throw new UntrustedIndexException("is no text");
        }
    }
}
