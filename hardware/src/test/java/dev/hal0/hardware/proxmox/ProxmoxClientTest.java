package dev.hal0.hardware.proxmox;

import static dev.hal0.hardware.proxmox.Samples.NOTHING;
import static dev.hal0.hardware.proxmox.Samples.ONE_NODE;
import static dev.hal0.hardware.proxmox.Samples.SELF;
import static dev.hal0.hardware.proxmox.Samples.TOKEN;
import static dev.hal0.hardware.proxmox.Samples.TOKEN_NAME;
import static dev.hal0.hardware.proxmox.Samples.TWO_NODES;
import static dev.hal0.hardware.proxmox.Samples.USER;
import static org.assertj.core.api.Assertions.assertThat;

import dev.hal0.hardware.proxmox.ProxmoxSummary.Failed;
import dev.hal0.hardware.proxmox.ProxmoxSummary.Reading;
import dev.hal0.hardware.proxmox.ProxmoxSummary.Reason;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(60)
class ProxmoxClientTest {
    private static final int LIMIT = 256 << 10;
    private static final Duration AMPLE = Duration.ofSeconds(30);
    private static final Duration SHORT = Duration.ofMillis(300);

    private final ProxmoxClient client = new ProxmoxClient(AMPLE, LIMIT, null);
    private FakeProxmox fake;

    @BeforeEach
    void start() throws IOException {
        fake = FakeProxmox.answering(FakeProxmox.json(ONE_NODE));
    }

    @AfterEach
    void stop() {
        fake.close();
    }

    @Test
    void unpinnedHost_isReadWithOneCallAndItsFingerprintIsTold() {
        ProxmoxProbe probe = client.probe(Samples.settings("localhost", fake.port(), false, null), SELF);

        assertThat(probe.summary()).isInstanceOf(Reading.class);
        assertThat(probe.tlsFingerprint()).isEqualTo(FakeIdentity.shared().fingerprint());
        assertThat(fake.seen())
                .containsExactly(new FakeProxmox.Seen(
                        "/api2/json/cluster/resources", "PVEAPIToken=" + USER + "!" + TOKEN_NAME + "=" + TOKEN));
    }

    @Test
    void pinnedHost_isReadUnderAnyName() {
        for (String host : new String[] {"localhost", "127.0.0.1"}) {
            var settings = Samples.settings(
                    host, fake.port(), false, FakeIdentity.shared().fingerprint());

            assertThat(client.probe(settings, SELF).summary()).isInstanceOf(Reading.class);
        }
    }

    @Test
    void trustedCertificate_isAcceptedUnderItsOwnNameOnly() {
        var verifying = new ProxmoxClient(AMPLE, LIMIT, FakeIdentity.shared().anchors());

        assertThat(verifying
                        .probe(Samples.settings("localhost", fake.port(), true, null), SELF)
                        .summary())
                .isInstanceOf(Reading.class);
        Failed failed = failed(verifying, Samples.settings("127.0.0.1", fake.port(), true, null));
        assertThat(failed.reason()).isEqualTo(Reason.CERTIFICATE);
        assertThat(fake.seen()).hasSize(1);
    }

    @ParameterizedTest
    @CsvSource({"401, TOKEN_REFUSED", "403, TOKEN_REFUSED", "404, BAD_ANSWER", "500, BAD_ANSWER", "595, BAD_ANSWER"})
    void refusal_isToldWithoutItsBody(int status, Reason reason) {
        fake.nowAnswering(FakeProxmox.status(status, "no ticket for " + TOKEN));

        Failed failed = failed(client, Samples.pinned(fake));

        assertThat(failed.reason()).isEqualTo(reason);
        assertThat(failed.error()).contains("HTTP " + status).doesNotContain("ticket");
    }

    @Test
    void refusalWithoutEnd_isNotWaitedFor() {
        var release = new CountDownLatch(1);
        fake.nowAnswering(FakeProxmox.stuck(401, release));

        assertThat(failed(client, Samples.pinned(fake)).reason()).isEqualTo(Reason.TOKEN_REFUSED);
        release.countDown();
    }

    @Test
    void hugeBody_isCutOff() {
        fake.nowAnswering(FakeProxmox.endless());

        Failed failed = failed(client, Samples.pinned(fake));

        assertThat(failed.reason()).isEqualTo(Reason.TOO_LARGE);
        assertThat(failed.error()).contains(LIMIT + " bytes");
    }

    @Test
    void bodyOfExactlyTheLimit_isRead() {
        fake.nowAnswering(FakeProxmox.json(ONE_NODE + " ".repeat(LIMIT - ONE_NODE.length())));
        assertThat(client.probe(Samples.pinned(fake), SELF).summary()).isInstanceOf(Reading.class);

        fake.nowAnswering(FakeProxmox.json(ONE_NODE + " ".repeat(LIMIT + 1 - ONE_NODE.length())));
        assertThat(failed(client, Samples.pinned(fake)).reason()).isEqualTo(Reason.TOO_LARGE);
    }

    @Test
    void bodyThatStopsHalfWay_runsIntoTheDeadline() {
        var release = new CountDownLatch(1);
        fake.nowAnswering(FakeProxmox.stuck(200, release));

        Failed failed = failed(new ProxmoxClient(SHORT, LIMIT, null), Samples.pinned(fake));

        assertThat(failed.reason()).isEqualTo(Reason.TIMEOUT);
        release.countDown();
    }

    @Test
    void silentPeer_runsIntoTheDeadline() throws IOException {
        // The kernel completes the connection; nobody ever answers the handshake.
        try (var silent = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            var settings = Samples.settings("127.0.0.1", silent.getLocalPort(), false, null);

            ProxmoxProbe probe = new ProxmoxClient(SHORT, LIMIT, null).probe(settings, SELF);

            assertThat(((Failed) probe.summary()).reason()).isEqualTo(Reason.TIMEOUT);
            assertThat(((Failed) probe.summary()).error()).contains("within 300 ms");
            assertThat(probe.tlsFingerprint()).isNull();
        }
    }

    @Test
    void closedPort_acceptsNoConnection() throws IOException {
        int port;
        try (var reserved = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = reserved.getLocalPort();
        }

        Failed failed = failed(client, Samples.settings("127.0.0.1", port, false, null));

        assertThat(failed.reason()).isEqualTo(Reason.UNREACHABLE);
        assertThat(failed.error()).isEqualTo("127.0.0.1:" + port + " accepts no connection.");
    }

    @Test
    void unknownName_isUnreachable() {
        Failed failed = failed(client, Samples.settings("no-such-host.invalid", 8006, false, null));

        assertThat(failed.reason()).isEqualTo(Reason.UNREACHABLE);
        assertThat(failed.error()).contains("no-such-host.invalid");
    }

    @Test
    void interruptedCaller_isToldAndStaysInterrupted() {
        Thread.currentThread().interrupt();

        Failed failed = failed(client, Samples.pinned(fake));

        assertThat(Thread.interrupted()).isTrue();
        assertThat(failed.error()).contains("interrupted");
    }

    @Test
    void answerThatIsNotJson_isABadAnswer() {
        fake.nowAnswering(FakeProxmox.json("<html>" + TOKEN));

        assertThat(failed(client, Samples.pinned(fake)))
                .isEqualTo(new Failed(Reason.BAD_ANSWER, "The answer is not JSON."));
    }

    @Test
    void clusterAndEmptyData_areSummarisedOverTheWire() {
        fake.nowAnswering(FakeProxmox.json(TWO_NODES));
        assertThat(((Reading) client.probe(Samples.pinned(fake), SELF).summary()).node())
                .isEqualTo("beta");

        fake.nowAnswering(FakeProxmox.json(NOTHING));
        assertThat(failed(client, Samples.pinned(fake)).reason()).isEqualTo(Reason.NO_NODE);
    }

    private static Failed failed(ProxmoxClient client, ProxmoxSettings settings) {
        ProxmoxSummary summary = client.probe(settings, SELF).summary();
        assertThat(summary).isInstanceOf(Failed.class);
        assertThat(summary.toString()).doesNotContain(TOKEN);
        return (Failed) summary;
    }
}
