package dev.hal0.runtime.install;

import static dev.hal0.runtime.install.FakePackages.library;
import static org.assertj.core.api.Assertions.assertThat;

import dev.hal0.kernel.ErrorCode;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Instant;
import org.junit.jupiter.api.Test;

/** Which indexes of the day are believed. */
class UntrustedIndexTest extends GonePackages {
    @Test
    void mirrorWithFilesByHash_isAskedByHash() {
        archive().field("Acquire-By-Hash", "yes").publish(mirror);
        mirror.put(SignedArchive.indexPath(), "already the next one".getBytes(java.nio.charset.StandardCharsets.UTF_8));

        assertThat(installer().install(lock, progress::add).version()).isEqualTo("2.0 (fake)");
    }

    @Test
    void signatureOfAnotherKey_isRefused() {
        archive().signedBy(SignedArchive.newKey()).publish(mirror);

        assertFails(ErrorCode.ENGINE_INSTALL_FAILED)
                .hasMessageContainingAll("InRelease has no valid signature", "[engines].mirror", "PATH");
        assertNothingInstalled();
    }

    @Test
    void changedRelease_isRefused() {
        archive().publish(mirror);
        mirror.change("dists/forky/InRelease", text -> text.replace("Suite: testing", "Suite: tasting"));

        assertFails(ErrorCode.ENGINE_INSTALL_FAILED).hasMessageContaining("no valid signature");
        assertNothingInstalled();
    }

    @Test
    void expiredIndex_isRefusedUnlessAptDoesNotCheck() throws IOException {
        archive()
                .field("Valid-Until", SignedArchive.date(Instant.now().minusSeconds(60)))
                .publish(mirror);

        assertFails(ErrorCode.ENGINE_INSTALL_FAILED).hasMessageContainingAll("expired", "Acquire::Check-Valid-Until");
        assertNothingInstalled();

        Files.createDirectories(folder.resolve("apt/apt.conf.d"));
        Files.writeString(folder.resolve("apt/apt.conf.d/99old"), "Acquire::Check-Valid-Until \"false\";\n");
        assertThat(installer().install(lock, progress::add).version()).isEqualTo("2.0 (fake)");
    }

    @Test
    void indexWithOtherBytesThanSigned_isRefused() {
        archive().publish(mirror);
        mirror.put(SignedArchive.indexPath(), SignedArchive.compressed("Package: llama.cpp-tools\n"));

        assertFails(ErrorCode.ENGINE_INSTALL_FAILED);
        assertNothingInstalled();
    }

    @Test
    void indexOfSameSizeWithOtherBytes_isRefused() {
        archive().publish(mirror);
        mirror.flipLastByte(SignedArchive.indexPath());

        assertFails(ErrorCode.ENGINE_INSTALL_FAILED).hasMessageContaining("SHA-256");
        assertNothingInstalled();
    }

    @Test
    void otherSuiteUnderTheName_isRefused() {
        archive().field("Codename", "sid").field("Suite", "unstable").publish(mirror);

        assertFails(ErrorCode.ENGINE_INSTALL_FAILED).hasMessageContaining("is for sid, not forky");
        assertNothingInstalled();
    }

    @Test
    void missingKeyring_isRefusedBeforeTheIndexIsFetched() throws IOException {
        archive().publish(mirror);
        Files.delete(keyring());

        assertFails(ErrorCode.ENGINE_MIRROR_UNSUITABLE)
                .hasMessageContainingAll(
                        "[engines].keyring",
                        "[engines].mirror",
                        "PATH",
                        keyring().toString());
        assertThat(mirror.downloads()).isEmpty();
        assertNothingInstalled();
    }

    @Test
    void keyringThatIsNone_isRefused() throws IOException {
        archive().publish(mirror);
        Files.writeString(keyring(), "no keys\n");

        assertFails(ErrorCode.ENGINE_MIRROR_UNSUITABLE)
                .hasMessageContaining(keyring().toString());
    }

    @Test
    void mirrorWithoutTheSuite_namesSettingAndWaysOut() {
        assertFails(ErrorCode.ENGINE_MIRROR_UNSUITABLE)
                .hasMessageContainingAll("dists/forky/InRelease", "404", OLD_LIBRARY, "[engines].mirror", "PATH");
        assertNothingInstalled();
    }

    @Test
    void dependencyThatTheSuiteLacks_isNamed() {
        archive("Depends: libfake, libunheard-of (>= 2) | libneither").publish(mirror);

        assertFails(ErrorCode.ENGINE_INSTALL_FAILED)
                .hasMessageContainingAll("libunheard-of (>= 2) | libneither", "llama.cpp-tools", "PATH");
        assertNothingInstalled();
    }

    @Test
    void suiteWithoutTheEngine_saysSo() {
        new SignedArchive().with("libfake", "2", library()).publish(mirror);

        assertFails(ErrorCode.ENGINE_INSTALL_FAILED).hasMessageContaining("lacks llama.cpp-tools");
    }
}
