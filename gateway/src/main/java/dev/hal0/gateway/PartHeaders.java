package dev.hal0.gateway;

import java.util.List;
import java.util.Locale;

/** What the header of a form's part says. */
record PartHeaders(String name, boolean isFile) {
    static final PartHeaders NONE = new PartHeaders("", false);

    /** A content in one of these is what it is; in another the engine would see other bytes than the client meant. */
    private static final List<String> PLAIN_ENCODINGS = List.of("7bit", "8bit", "binary");

    /**
     * @param lines with their CRLFs, the empty one at the end included
     * @throws dev.hal0.kernel.Hal0Exception {@code request.invalid_form}
     */
    static PartHeaders parse(String lines) {
        String disposition = "";
        for (String line : lines.split("\r\n")) {
            int colon = line.indexOf(':');
            // This refuses folded lines, too, and a line that ends in half a CRLF.
            if (colon < 1
                    || line.charAt(0) == ' '
                    || line.charAt(0) == '\t'
                    || line.chars().anyMatch(c -> c < ' ' && c != '\t' || c == 127)) {
                throw MultipartReader.refuse("The header of a field is malformed.");
            }
            String value = line.substring(colon + 1).strip();
            switch (line.substring(0, colon).strip().toLowerCase(Locale.ROOT)) {
                case "content-disposition" -> {
                    if (!disposition.isEmpty()) {
                        throw MultipartReader.refuse("A field has two Content-Dispositions.");
                    }
                    disposition = value;
                }
                case "content-transfer-encoding" -> {
                    if (!PLAIN_ENCODINGS.contains(value.toLowerCase(Locale.ROOT))) {
                        throw MultipartReader.refuse("A field is encoded as '" + MultipartReader.shown(value)
                                + "'; send its bytes as they are.");
                    }
                }
                default -> {}
            }
        }
        boolean form = disposition.toLowerCase(Locale.ROOT).startsWith("form-data");
        String name = form ? HeaderParameters.of(disposition, "name").orElse("") : "";
        if (name.isEmpty()) {
            throw MultipartReader.refuse(
                    "A field has no name: its header needs `Content-Disposition: form-data;" + " name=\"…\"`.");
        }
        return new PartHeaders(
                name,
                HeaderParameters.of(disposition, "filename").isPresent()
                        || HeaderParameters.of(disposition, "filename*").isPresent());
    }
}
