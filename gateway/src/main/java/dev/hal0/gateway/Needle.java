package dev.hal0.gateway;

import io.vertx.core.buffer.Buffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Some ASCII bytes that are looked for; Horspool's search, which looks at a fraction of the bytes and allocates nothing. */
final class Needle {
    private final byte[] bytes;
    private final int[] skip = new int[256];

    Needle(String text) {
        bytes = text.getBytes(StandardCharsets.US_ASCII);
        Arrays.fill(skip, bytes.length);
        for (int i = 0; i < bytes.length - 1; i++) {
            skip[bytes[i]] = bytes.length - 1 - i;
        }
    }

    int length() {
        return bytes.length;
    }

    /** Where it begins first; -1 if it does not lie whole between {@code from} and {@code to}. */
    int find(Buffer haystack, int from, int to) {
        int last = bytes.length - 1;
        for (int at = from; at + last < to; at += skip[haystack.getUnsignedByte(at + last)]) {
            int i = last;
            while (haystack.getByte(at + i) == bytes[i]) {
                if (i == 0) {
                    return at;
                }
                i--;
            }
        }
        return -1;
    }
}
