package dev.hal0.gateway;

/** Forms as clients write them. */
final class FormText {
    static final String BOUNDARY = "----form7MA4YWxk";
    static final String TYPE = "multipart/form-data; boundary=" + BOUNDARY;
    private final StringBuilder text = new StringBuilder();

    FormText field(String name, String value) {
        return part("Content-Disposition: form-data; name=\"" + name + "\"", value);
    }

    FormText file(String name, String content) {
        return part(
                "Content-Disposition: form-data; name=\"" + name
                        + "\"; filename=\"a b.wav\"\r\nContent-Type: audio/wav",
                content);
    }

    FormText part(String headers, String content) {
        text.append("--").append(BOUNDARY).append("\r\n");
        text.append(headers).append("\r\n\r\n").append(content).append("\r\n");
        return this;
    }

    /** Without its last boundary. */
    String open() {
        return text.toString();
    }

    String end() {
        return text + "--" + BOUNDARY + "--\r\n";
    }
}
