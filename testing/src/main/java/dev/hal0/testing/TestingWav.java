package dev.hal0.testing;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Sound that speech recognition can be tried with: 16 kHz, one channel, 16 bits, a tone that rises and falls. */
public final class TestingWav {
    private static final int RATE = 16_000;
    private static final int HEADER_BYTES = 44;

    private TestingWav() {}

    /** 32,000 bytes a second. */
    public static byte[] ofSeconds(int seconds) {
        int samples = seconds * RATE;
        ByteBuffer file = ByteBuffer.allocate(HEADER_BYTES + 2 * samples).order(ByteOrder.LITTLE_ENDIAN);
        file.put("RIFF".getBytes(StandardCharsets.US_ASCII)).putInt(HEADER_BYTES - 8 + 2 * samples);
        file.put("WAVEfmt ".getBytes(StandardCharsets.US_ASCII)).putInt(16);
        file.putShort((short) 1).putShort((short) 1).putInt(RATE).putInt(2 * RATE);
        file.putShort((short) 2).putShort((short) 16);
        file.put("data".getBytes(StandardCharsets.US_ASCII)).putInt(2 * samples);
        for (int i = 0; i < samples; i++) {
            double second = (double) i / RATE;
            double tone = Math.sin(2 * Math.PI * (220 + 80 * Math.sin(2 * second)) * second);
            file.putShort((short) (8_000 * tone));
        }
        return file.array();
    }
}
