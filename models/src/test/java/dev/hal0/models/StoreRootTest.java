package dev.hal0.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.HomeDirectory;
import dev.hal0.kernel.TomlDocument;
import dev.hal0.models.StoreState.Kind;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Pitfalls 1 and 2: one rule for everyone who asks where models are, and no path of its own anywhere else. */
class StoreRootTest {
    @TempDir
    Path temporary;

    private TestingTree tree;

    @BeforeEach
    void place() throws Exception {
        tree = new TestingTree(temporary.toRealPath());
    }

    @ParameterizedTest
    @CsvSource({
        "/env, /store, /pull, /env,   ENVIRONMENT",
        "'',   /store, /pull, /store, STORE",
        "'',   '',     /pull, /pull,  PULL_ROOT",
        "' ',  '',     '',    /home/var/lib/hal0/models, DEFAULT",
    })
    void first_that_is_set_decides(String variable, String store, String pull, Path path, StoreRoot.Source source) {
        StoreRoot root = resolved(variable, "[models]\nstore = '%s'\npull_root = '%s'\n".formatted(store, pull));

        assertThat(root.path()).isEqualTo(path);
        assertThat(root.source()).isEqualTo(source);
        assertThat(root.roots()).containsExactly(path);
    }

    @Test
    void store_is_the_first_of_the_roots_and_none_is_walked_twice() {
        StoreRoot root = resolved("", "[models]\nstore = '/s'\nroots = ['/a', '/s/', '/a/../a']\n");

        assertThat(root.roots()).containsExactly(Path.of("/s"), Path.of("/a"));
        assertThat(root.rootOf(Path.of("/a/b/c.gguf"))).hasValue(Path.of("/a"));
        assertThat(root.rootOf(Path.of("/ab/c.gguf"))).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"relative, ''", "'', store = 'x'", "'', roots = ['x']", "'', store = 7"})
    void path_that_is_not_absolute_is_refused(String variable, String line) {
        assertThatThrownBy(() -> resolved(variable, "[models]\n" + line + "\n"))
                .isInstanceOfSatisfying(
                        Hal0Exception.class,
                        refusal -> assertThat(refusal.code()).isEqualTo(ErrorCode.CONFIG_INVALID));
    }

    @Test
    void state_tells_ok_missing_and_unavailable_apart() throws Exception {
        Path there = tree.folder("there");
        Path linked = tree.link("linked", there);
        Path nowhere = tree.link("nowhere", tree.root().resolve("unmounted"));
        Path file = tree.file("file", "x");
        var disk = new FailingDisk(tree.root().resolve("stale"));
        StoreRoot root = new StoreRoot(there, StoreRoot.Source.STORE, List.of(), disk);

        assertThat(root.state()).isEqualTo(StoreState.ok(there));
        assertThat(root.state(linked)).isEqualTo(StoreState.ok(there));
        assertThat(root.state(tree.root().resolve("absent")).kind()).isEqualTo(Kind.MISSING);
        assertThat(root.state(nowhere).kind()).isEqualTo(Kind.UNAVAILABLE);
        assertThat(root.state(nowhere.resolve("below/it")).kind()).isEqualTo(Kind.UNAVAILABLE);
        assertThat(root.state(file).kind()).isEqualTo(Kind.UNAVAILABLE);
        assertThat(root.state(tree.root().resolve("stale")).detail()).contains("Stale file handle");
    }

    /** Pitfall 1: a target outside the mounts is invisible inside a container. */
    @Test
    void mounts_cover_every_place_that_links_lead_through() throws Exception {
        Path volume = tree.folder("mnt/volume");
        Path real = tree.chat("mnt/volume/deep/a.gguf");
        Path hop = tree.link("hop/a.gguf", real);
        Path leaf = tree.link("models/chat/a.gguf", hop);
        Path plain = tree.chat("models/b.gguf");
        StoreRoot root = new StoreRoot(tree.models(), StoreRoot.Source.STORE, List.of(volume), Disk.SYSTEM);

        assertThat(root.mountsOf(List.of(plain))).containsExactly(tree.models());
        assertThat(root.mountsOf(List.of(leaf, plain)))
                .containsExactlyInAnyOrder(tree.models(), hop.getParent(), volume);
        assertThat(root.mountsOf(List.of(Path.of("/nowhere/x.gguf")))).containsExactly(Path.of("/nowhere"));
        assertThat(Files.readSymbolicLink(leaf)).isEqualTo(hop);
    }

    private static StoreRoot resolved(String variable, String settings) {
        return StoreRoot.of(
                Map.of(StoreRoot.VARIABLE, variable),
                StoreSettings.of(TomlDocument.parse("hal0.toml", settings)),
                HomeDirectory.under(Path.of("/home")));
    }
}
