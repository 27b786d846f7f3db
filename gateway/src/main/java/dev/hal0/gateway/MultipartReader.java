package dev.hal0.gateway;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import io.vertx.core.buffer.Buffer;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Finds the parts of {@code multipart/form-data} while its bytes come in, in pieces cut anywhere. It keeps where each part lies,
 * and the values of plain fields; files only pass. Strict where two readers could see different parts in the same bytes:
 * the engine reads the form again with a parser of its own.
 *
 * <p>The delimiter begins with the only CR in it, so that a mismatch never has to look back.
 */
final class MultipartReader {
    private static final int MOST_PARTS = 64;
    private static final int MOST_HEADER_BYTES = 8 << 10;
    private static final int MOST_FIELD_BYTES = 64 << 10;
    private static final int MOST_BOUNDARY_CHARS = 70;

    private enum State {
        /** Before the first delimiter, which may come at once. */
        PREAMBLE,
        DELIMITED,
        DELIMITED_CR,
        DELIMITED_DASH,
        HEADERS,
        CONTENT,
        END
    }

    private final String boundary;
    private final byte[] delimiter;
    private final List<MultipartForm.Part> parts = new ArrayList<>();
    private final Set<String> names = new HashSet<>();
    private final ByteArrayOutputStream text = new ByteArrayOutputStream();
    private State state = State.PREAMBLE;
    /** As if a line's end stood before the body. */
    private int matched = 2;

    private long position;
    private long headersAt;
    private long contentAt;
    private PartHeaders headers = PartHeaders.NONE;

    private MultipartReader(String boundary) {
        this.boundary = boundary;
        this.delimiter = ("\r\n--" + boundary).getBytes(StandardCharsets.ISO_8859_1);
    }

    /** @throws Hal0Exception {@code request.invalid_form} for any other type, or one without a usable boundary */
    static MultipartReader of(@Nullable String contentType) {
        String type = contentType == null ? "" : contentType;
        if (!type.toLowerCase(Locale.ROOT).strip().startsWith("multipart/form-data")) {
            throw refuse("This route takes multipart/form-data, not "
                            + (type.isBlank() ? "a body without a Content-Type" : "'" + shown(type) + "'") + ".")
                    .withParam("Content-Type");
        }
        String boundary = HeaderParameters.of(type, "boundary").orElse("");
        if (boundary.isEmpty() || boundary.length() > MOST_BOUNDARY_CHARS || !isBoundary(boundary)) {
            throw refuse("The Content-Type of a form needs a boundary of 1 to 70 characters.")
                    .withParam("Content-Type");
        }
        return new MultipartReader(boundary);
    }

    /** @throws Hal0Exception as soon as it is clear that this is no form that hal0 reads */
    void read(Buffer bytes) {
        for (byte next : bytes.getBytes()) {
            position++;
            switch (state) {
                case PREAMBLE -> {
                    if (matches(next)) {
                        state = State.DELIMITED;
                    }
                }
                case DELIMITED -> {
                    if (next != '\r' && next != '-') {
                        throw refuse("Something follows a boundary on its line.");
                    }
                    state = next == '\r' ? State.DELIMITED_CR : State.DELIMITED_DASH;
                }
                case DELIMITED_DASH -> {
                    require(next, '-');
                    state = State.END;
                }
                case DELIMITED_CR -> {
                    require(next, '\n');
                    beginHeaders();
                }
                case HEADERS -> header(next);
                case CONTENT -> content(next);
                // What follows the form is no part of it, and the engine does not get it.
                case END -> {
                    return;
                }
            }
        }
    }

    /** @throws Hal0Exception when the body ended before the form did */
    MultipartForm finish() {
        if (state != State.END) {
            throw refuse(
                    state == State.CONTENT
                            ? "The body ends in the middle of the field `" + shown(headers.name()) + "`."
                            : "The body ends before the form does: its last boundary is missing.");
        }
        return new MultipartForm(boundary, parts);
    }

    private boolean matches(byte next) {
        if (next == delimiter[matched]) {
            matched++;
        } else {
            matched = next == '\r' ? 1 : 0;
        }
        if (matched < delimiter.length) {
            return false;
        }
        matched = 0;
        return true;
    }

    private static void require(byte next, char expected) {
        if (next != expected) {
            throw refuse("Something follows a boundary on its line.");
        }
    }

    private void beginHeaders() {
        if (parts.size() == MOST_PARTS) {
            throw refuse("The form has more than " + MOST_PARTS + " fields.");
        }
        state = State.HEADERS;
        headersAt = position;
        text.reset();
    }

    private void header(byte next) {
        text.write(next);
        if (text.size() > MOST_HEADER_BYTES) {
            throw refuse("The header of a field is longer than " + MOST_HEADER_BYTES + " bytes.");
        }
        if (next == '\n' && endsHeaders(text.toString(StandardCharsets.UTF_8))) {
            headers = PartHeaders.parse(text.toString(StandardCharsets.UTF_8));
            // A name that may be given several times says so by its end, as in timestamp_granularities[].
            if (!names.add(headers.name()) && !headers.name().endsWith("[]")) {
                throw refuse("The field `" + shown(headers.name()) + "` is given twice.")
                        .withParam(shown(headers.name()));
            }
            contentAt = position;
            text.reset();
            state = State.CONTENT;
        }
    }

    private static boolean endsHeaders(String lines) {
        return lines.endsWith("\r\n\r\n") || lines.equals("\r\n");
    }

    private void content(byte next) {
        boolean ended = matches(next);
        if (!headers.isFile()) {
            text.write(next);
            if (text.size() > MOST_FIELD_BYTES + delimiter.length) {
                throw refuse("The field `" + shown(headers.name()) + "` is longer than " + MOST_FIELD_BYTES
                                + " bytes; a file needs a filename in its header.")
                        .withParam(shown(headers.name()));
            }
        }
        if (ended) {
            Optional<String> value = headers.isFile()
                    ? Optional.empty()
                    : Optional.of(
                            new String(text.toByteArray(), 0, text.size() - delimiter.length, StandardCharsets.UTF_8));
            parts.add(new MultipartForm.Part(headers.name(), value, headersAt, contentAt, position - delimiter.length));
            state = State.DELIMITED;
        }
    }

    private static boolean isBoundary(String boundary) {
        return boundary.chars()
                        .allMatch(c -> c < 128 && Character.isLetterOrDigit(c) || "'()+_,-./:=? ".indexOf(c) >= 0)
                && !boundary.endsWith(" ");
    }

    static Hal0Exception refuse(String message) {
        return new Hal0Exception(ErrorCode.REQUEST_FORM_INVALID, message);
    }

    static String shown(String text) {
        String printable = text.replaceAll("\\p{Cntrl}", "?");
        return printable.length() <= 100 ? printable : printable.substring(0, 100) + "…";
    }
}
