package dev.hal0.runtime.install;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.Test;

class BundledPackagesTest extends GonePackages {
    @Test
    void bundledPackages_winOverTheIndex() throws IOException {
        archive().publish(mirror);
        bundle(FakePackages.sha256(OLD_LIBRARY_FILE) + ".deb", OLD_LIBRARY_FILE);
        bundle("llama.cpp-tools_1.0.deb", OLD_SERVER_FILE);

        Program program = installer().install(lock, progress::add);

        assertThat(program.source()).isEqualTo("installed");
        assertThat(program.version()).isEqualTo("1.0 (fake)");
        assertThat(mirror.seen()).isEmpty();
        assertThat(installer().list("llama.cpp").getFirst().source()).contains("ship with hal0");
    }

    @Test
    void bundledPackages_installWithoutNetwork() throws IOException {
        mirror.close();
        bundle("libfake_1.deb", OLD_LIBRARY_FILE);
        bundle("llama.cpp-tools_1.0.deb", OLD_SERVER_FILE);

        assertThat(installer().install(lock, progress::add).version()).isEqualTo("1.0 (fake)");
    }

    @Test
    void bundledPackageWithOtherBytes_isLeftOut() throws IOException {
        putPinned();
        bundle("libfake_1.deb", OLD_SERVER_FILE);

        assertThat(installer().install(lock, progress::add).version()).isEqualTo("1.0 (fake)");
        assertThat(mirror.downloads()).extracting(FakeMirror.Seen::path).contains(OLD_LIBRARY);
        assertThat(home().resolve("downloads")).isEmptyDirectory();
    }
}
