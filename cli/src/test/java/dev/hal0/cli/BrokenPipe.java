package dev.hal0.cli;

import java.io.IOException;
import java.io.OutputStream;

/** What is left when `head` has seen enough. */
final class BrokenPipe extends OutputStream {
    @Override
    public void write(int ignored) throws IOException {
        throw new IOException("Broken pipe");
    }
}
