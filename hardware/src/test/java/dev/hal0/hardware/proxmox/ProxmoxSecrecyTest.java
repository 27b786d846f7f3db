package dev.hal0.hardware.proxmox;

import static dev.hal0.hardware.proxmox.Samples.ONE_NODE;
import static dev.hal0.hardware.proxmox.Samples.OTHER_FINGERPRINT;
import static dev.hal0.hardware.proxmox.Samples.SELF;
import static dev.hal0.hardware.proxmox.Samples.TOKEN;
import static dev.hal0.hardware.proxmox.Samples.TOKEN_NAME;
import static dev.hal0.hardware.proxmox.Samples.USER;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.hal0.hardware.proxmox.ProxmoxSummary.Failed;
import dev.hal0.hardware.proxmox.ProxmoxSummary.Reading;
import dev.hal0.hardware.proxmox.ProxmoxSummary.Reason;
import dev.hal0.kernel.DurableFiles;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.HomeDirectory;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The token reaches the host that it was entered for, behind the certificate that was pinned, and nobody else. */
@Timeout(60)
class ProxmoxSecrecyTest {
    @TempDir
    private Path folder;

    private FakeProxmox entered;
    private FakeProxmox other;
    private ProxmoxWatch watch;

    @BeforeEach
    void start() throws IOException {
        entered = FakeProxmox.answering(FakeProxmox.json(ONE_NODE));
        other = FakeProxmox.answering(FakeProxmox.json(ONE_NODE));
        watch = new ProxmoxWatch(
                new ProxmoxSettingsFile(HomeDirectory.under(folder), new DurableFiles()),
                new ProxmoxClient(Duration.ofSeconds(30), 1 << 20, null),
                SELF,
                ProxmoxDetection.NONE,
                InstantSource.system(),
                new RecordingListener());
    }

    @AfterEach
    void stop() {
        entered.close();
        other.close();
    }

    @Test
    void storedToken_isNotSentToAChangedPort() {
        watch.save(Samples.update("localhost", entered.port(), TOKEN));
        var changed = Samples.update("localhost", other.port(), null);

        assertRefused(catchThrowableOfType(Hal0Exception.class, () -> watch.test(changed)));
        assertRefused(catchThrowableOfType(Hal0Exception.class, () -> watch.save(changed)));

        assertThat(other.seen()).isEmpty();
        assertThat(watch.summary()).isInstanceOf(Reading.class);
        assertThat(entered.seen()).hasSize(1);
    }

    @Test
    void storedToken_isNotSentToAChangedHost() {
        watch.save(Samples.update("localhost", entered.port(), TOKEN));
        var changed = Samples.update("127.0.0.1", entered.port(), null);

        assertRefused(catchThrowableOfType(Hal0Exception.class, () -> watch.test(changed)));
        assertRefused(catchThrowableOfType(Hal0Exception.class, () -> watch.save(changed)));

        assertThat(entered.seen()).isEmpty();
    }

    @Test
    void storedToken_isNotSentUnderAChangedIdentity() {
        watch.save(Samples.update("localhost", entered.port(), TOKEN));

        for (var changed : new ProxmoxUpdate[] {
            new ProxmoxUpdate("localhost", entered.port(), "root@pam", TOKEN_NAME, null, null, null),
            new ProxmoxUpdate("localhost", entered.port(), USER, "other", null, null, null)
        }) {
            assertRefused(catchThrowableOfType(Hal0Exception.class, () -> watch.test(changed)));
        }

        assertThat(entered.seen()).isEmpty();
    }

    @Test
    void storedToken_isUsedForATestOfTheSameTarget() {
        watch.save(Samples.update("localhost", entered.port(), TOKEN));

        ProxmoxProbe probe = watch.test(Samples.update("localhost", entered.port(), null));

        assertThat(probe.summary()).isInstanceOf(Reading.class);
        assertThat(probe.tlsFingerprint()).isEqualTo(FakeIdentity.shared().fingerprint());
    }

    @Test
    void wrongFingerprint_endsTheHandshakeBeforeTheToken() {
        watch.save(new ProxmoxUpdate("localhost", entered.port(), USER, TOKEN_NAME, TOKEN, false, OTHER_FINGERPRINT));

        Failed failed = (Failed) watch.summary();

        assertThat(failed.reason()).isEqualTo(Reason.CERTIFICATE);
        assertThat(failed.error())
                .contains(OTHER_FINGERPRINT, FakeIdentity.shared().fingerprint(), "not sent")
                .doesNotContain(TOKEN);
        assertThat(watch.test(Samples.update("localhost", entered.port(), null)).tlsFingerprint())
                .isEqualTo(FakeIdentity.shared().fingerprint());
        assertThat(entered.seen()).isEmpty();
    }

    @Test
    void untrustedCertificate_endsTheHandshakeBeforeTheToken() {
        watch.save(new ProxmoxUpdate("localhost", entered.port(), USER, TOKEN_NAME, TOKEN, true, null));

        Failed failed = (Failed) watch.summary();

        assertThat(failed.reason()).isEqualTo(Reason.CERTIFICATE);
        assertThat(failed.error()).doesNotContain(TOKEN);
        assertThat(entered.seen()).isEmpty();
    }

    @Test
    void redirect_doesNotCarryTheToken() {
        entered.nowAnswering(FakeProxmox.redirectTo(other.port()));
        watch.save(Samples.update("localhost", entered.port(), TOKEN));

        Failed failed = (Failed) watch.summary();

        assertThat(failed.reason()).isEqualTo(Reason.REDIRECTED);
        assertThat(failed.error()).doesNotContain(TOKEN);
        assertThat(entered.seen()).hasSize(1);
        assertThat(other.seen()).isEmpty();
    }

    @Test
    void textOfOthers_isScrubbed() {
        ProxmoxSettings settings = Samples.pinned(entered);

        assertThat(settings.scrub("bad header " + settings.authorization() + " and " + TOKEN))
                .contains("***")
                .doesNotContain(TOKEN);
    }

    private static void assertRefused(Hal0Exception refused) {
        assertThat(refused).isNotNull();
        assertThat(refused.code()).isEqualTo(ErrorCode.PROXMOX_CONFIG_INVALID);
        assertThat(refused.param()).contains("token_value");
        assertThat(refused.toString() + refused.details()).doesNotContain(TOKEN);
    }
}
