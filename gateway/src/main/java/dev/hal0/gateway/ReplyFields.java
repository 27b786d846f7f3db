package dev.hal0.gateway;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A reply's head while it is read, line by line, and what it says about the body. Strict: whoever is lenient about a length
 * may take one reply's end for the next one's beginning, and give one client what belongs to another.
 */
final class ReplyFields {
    static final int MOST_FIELDS = 100;

    /** 18 digits: no body is longer, and a long holds them. */
    private static final int MOST_LENGTH_DIGITS = 18;

    /** How the end of the body is known. */
    enum Framing {
        NONE,
        LENGTH,
        CHUNKED,
        UNTIL_CLOSE
    }

    private final int status;
    private boolean closes;
    private final boolean old;
    private int count;
    private long length = -1;
    private boolean chunked;
    private @Nullable String contentType;
    private @Nullable String contentEncoding;
    private @Nullable String retryAfter;

    /** @param line {@code HTTP/1.1 200 OK}, where the reason may be missing */
    ReplyFields(String line) throws MalformedReplyException {
        boolean wellFormed = (line.startsWith("HTTP/1.1 ") || line.startsWith("HTTP/1.0 "))
                && line.length() >= 12
                && (line.length() == 12 || line.charAt(12) == ' ');
        status = wellFormed ? (int) number(line.substring(9, 12)) : -1;
        if (status < 100 || status > 599) {
            throw new MalformedReplyException("the engine's answer has no HTTP status line");
        }
        if (status == 101) {
            throw new MalformedReplyException("the engine changed the protocol without being asked");
        }
        old = line.startsWith("HTTP/1.0");
        closes = old;
    }

    void add(String line) throws MalformedReplyException {
        if (++count > MOST_FIELDS) {
            throw new MalformedReplyException("the engine's answer has more than " + MOST_FIELDS + " header lines");
        }
        int colon = line.indexOf(':');
        // This refuses folded lines, too: they begin with a space, which no name does.
        if (colon < 1 || !isToken(line, colon)) {
            throw new MalformedReplyException("the engine's answer has a header line without a name");
        }
        String value = line.substring(colon + 1).strip();
        switch (line.substring(0, colon).toLowerCase(Locale.ROOT)) {
            case "content-length" -> length(value);
            case "transfer-encoding" -> coding(value);
            case "connection" -> closes |= says(value, "close");
            case "content-type" -> contentType = contentType == null ? value : contentType;
            case "content-encoding" -> contentEncoding = contentEncoding == null ? value : contentEncoding;
            case "retry-after" -> retryAfter = retryAfter == null ? value : retryAfter;
            default -> {}
        }
    }

    private void length(String value) throws MalformedReplyException {
        if (length >= 0 || value.isEmpty() || value.length() > MOST_LENGTH_DIGITS) {
            throw new MalformedReplyException("the engine's answer has no clear length");
        }
        length = number(value);
        if (length < 0) {
            throw new MalformedReplyException("the engine's answer has no clear length");
        }
    }

    private void coding(String value) throws MalformedReplyException {
        if (chunked || old || !value.equalsIgnoreCase("chunked")) {
            throw new MalformedReplyException("the engine's answer is encoded in a way that nobody asked for");
        }
        chunked = true;
    }

    /** The head is complete. */
    Framing framing() throws MalformedReplyException {
        if (chunked && length >= 0) {
            throw new MalformedReplyException("the engine's answer has a length and chunks");
        }
        if (isInterim() || status == 204 || status == 304) {
            return Framing.NONE;
        }
        if (chunked) {
            return Framing.CHUNKED;
        }
        return length >= 0 ? Framing.LENGTH : Framing.UNTIL_CLOSE;
    }

    /** Another head follows. */
    boolean isInterim() {
        return status < 200;
    }

    /** The connection ends with this reply. */
    boolean closes() {
        return closes;
    }

    long length() {
        return length;
    }

    ReplyHead head() {
        return new ReplyHead(status, contentType, contentEncoding, retryAfter);
    }

    private static boolean says(String list, String word) {
        for (String one : list.split(",", -1)) {
            if (one.strip().equalsIgnoreCase(word)) {
                return true;
            }
        }
        return false;
    }

    /** Digits and nothing else; -1 for anything else. {@link Long#parseLong} also takes signs and other scripts' digits. */
    private static long number(String digits) {
        long number = 0;
        for (int i = 0; i < digits.length(); i++) {
            char c = digits.charAt(i);
            if (c < '0' || c > '9') {
                return -1;
            }
            number = number * 10 + (c - '0');
        }
        return number;
    }

    private static boolean isToken(String line, int end) {
        for (int i = 0; i < end; i++) {
            char c = line.charAt(i);
            boolean letterOrDigit = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9';
            if (!letterOrDigit && "!#$%&'*+-.^_`|~".indexOf(c) < 0) {
                return false;
            }
        }
        return true;
    }
}
