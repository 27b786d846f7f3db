package dev.hal0.runtime.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PortHolderTest {
    @Test
    void listeningProgram_isFoundWithItsName() throws IOException {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            var holder = PortHolder.of(socket.getLocalPort()).orElseThrow();
            assertThat(holder.pid()).isEqualTo(ProcessHandle.current().pid());
            assertThat(holder.describe()).contains("java (process " + holder.pid() + ")");
        }
    }

    @Test
    void freePort_hasNoHolder() throws IOException {
        int port;
        try (var socket = new ServerSocket(0)) {
            port = socket.getLocalPort();
        }
        assertThat(PortHolder.of(port)).isEmpty();
    }

    @Test
    void otherUsersProgram_isNotNamed(@TempDir Path proc) throws IOException {
        Files.createDirectories(proc.resolve("net"));
        Files.writeString(
                proc.resolve("net/tcp"),
                "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
                        + "   0: 0100007F:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0 0 4711 1\n");
        Files.createDirectories(proc.resolve("12"));
        assertThat(PortHolder.of(0x1F91, proc)).isEmpty();
    }

    @Test
    void connectionOfThatPort_isNoListener(@TempDir Path proc) throws IOException {
        Files.createDirectories(proc.resolve("net"));
        Files.writeString(
                proc.resolve("net/tcp"),
                "   0: 0100007F:1F91 0100007F:C350 01 00000000:00000000 00:00000000 00000000  0 0 4711 1\n");
        assertThat(PortHolder.of(0x1F91, proc)).isEmpty();
    }
}
