package dev.hal0.models;

import static dev.hal0.models.TestingTree.NOW;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.hal0.kernel.DurableFiles;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RegistryImportTest {
    private static final String SMALL = "[models.a]\npath = \"/nowhere/a.gguf\"\ncapabilities = [\"chat\"]\n";

    @TempDir
    Path temporary;

    private TestingTree tree;
    private int archives;

    @BeforeEach
    void place() throws Exception {
        tree = new TestingTree(temporary.toRealPath());
    }

    @Test
    void old_registry_is_migrated_and_every_entry_accounted_for() throws Exception {
        Path here = tree.chat("models/here.gguf");
        Path silent = tree.chat("models/silent.gguf");
        Path far = tree.link("models/far.gguf", here);
        Path archive = archive(Map.of("./var/lib/hal0/registry/registry.toml", """
                # from the old box
                [models."here.1"]
                path = "%s"
                capabilities = ["chat", "vision"]
                tags = ["curated"]
                quant = "Q8_0"
                state = "missing"
                future = 3
                [models."here.1".metadata]
                sha256 = "aa"
                context_length = 4096
                upstream_url = "kept"
                [models.gone]
                path = "/nowhere/gone.gguf"
                capabilities = ["embed"]
                [models.silent]
                path = "%s"
                capabilities = []
                [models.mute]
                path = "/nowhere/mute.gguf"
                [models.away]
                path = "%s/away.gguf"
                capabilities = ["chat"]
                volume = "%s"
                [models.grown]
                path = "%s"
                size_bytes = 1
                capabilities = ["chat"]
                """.formatted(
                        here, silent, tree.models(), tree.models(), far)));

        ImportSummary summary = importing().run(archive, tree.registryFile(), false);

        assertThat(summary.member()).isEqualTo("var/lib/hal0/registry/registry.toml");
        assertThat(summary.backup()).isEmpty();
        assertThat(summary.present()).containsExactly("here.1", "silent");
        assertThat(summary.missing()).containsExactly("gone");
        assertThat(summary.unavailable()).containsExactly("away");
        assertThat(summary.changed()).containsExactly("grown");
        assertThat(summary.faults()).containsOnlyKeys("mute");
        assertThat(summary.notes())
                .contains(
                        "here.1: metadata.sha256 became sha256",
                        "here.1: quant became quantization",
                        "here.1: capabilities and tags became the labels chat, curated, vision",
                        "silent: named no capability; by its file it is chat");
        String text = Files.readString(tree.registryFile());
        assertThat(text)
                .contains("# from the old box", "future = 3", "upstream_url = \"kept\"", "schema_version = 1")
                .doesNotContain("tags", "quant =");
        RegisteredModel migrated = tree.registry().require("here.1");
        assertThat(migrated.sha256()).hasValue("aa");
        assertThat(migrated.contextLength()).isEqualTo(4096);
        assertThat(migrated.labels()).containsExactly("chat", "curated", "vision");
        assertThat(migrated.details().state()).hasValue(ModelState.READY);
        assertThat(tree.registry().require("gone").details().state()).hasValue(ModelState.MISSING);
        assertThat(tree.registry().require("away").details().state()).isEmpty();
    }

    @Test
    void whole_system_s_place_wins_and_nothing_else_is_restored() throws Exception {
        var members = new LinkedHashMap<String, String>();
        members.put("registry.toml", SMALL.replace("models.a", "models.third"));
        members.put("registry/registry.toml", SMALL.replace("models.a", "models.second"));
        members.put("var/lib/hal0/registry/registry.toml", SMALL.replace("models.a", "models.first"));
        members.put("etc/hal0/slots/chat.toml", "name = 'chat'");

        importing().run(archive(members), tree.registryFile(), false);

        assertThat(tree.registry().find("first")).isPresent();
        assertThat(tree.registry().list()).hasSize(2);
        try (var written = Files.walk(tree.root())) {
            assertThat(written.filter(Files::isRegularFile)
                            .map(file -> file.getFileName().toString()))
                    .containsExactlyInAnyOrder("backup1.tar.gz", "registry.toml", ".registry.toml.lock");
        }
    }

    @Test
    void list_form_becomes_tables_and_elements_without_a_place_are_named() throws Exception {
        String list =
                "[[models]]\nid = \"a\"\npath = \"/nowhere/a.gguf\"\ncapabilities = [\"chat\"]\n[[models]]\nname = \"b\"\n";

        ImportSummary summary = importing().run(archive(Map.of("registry.toml", list)), tree.registryFile(), false);

        assertThat(summary.missing()).containsExactly("a");
        assertThat(summary.faults()).containsOnlyKeys("models[1]");
        assertThat(tree.registry().find("a")).isPresent();
    }

    @Test
    void registry_that_is_there_is_replaced_only_by_force_and_kept_as_a_backup() throws Exception {
        Path archive = archive(Map.of("registry.toml", SMALL));
        String before = "# mine\nschema_version = 1\n";
        tree.file("registry/registry.toml", before);
        Files.setPosixFilePermissions(tree.registryFile(), PosixFilePermissions.fromString("rw-rw----"));

        assertThat(refusal(ErrorCode.MODEL_REGISTRY_EXISTS, archive)).contains("exists already");
        assertThat(Files.readString(tree.registryFile())).isEqualTo(before);
        Path first =
                importing().run(archive, tree.registryFile(), true).backup().orElseThrow();
        Path second =
                importing().run(archive, tree.registryFile(), true).backup().orElseThrow();

        assertThat(first.getFileName()).hasToString("registry.toml.20261123T120000Z.bak");
        assertThat(second.getFileName()).hasToString("registry.toml.20261123T120000Z-2.bak");
        assertThat(Files.readString(first)).isEqualTo(before);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(first)))
                .isEqualTo("rw-rw----");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(tree.registryFile())))
                .isEqualTo("rw-rw----");
    }

    @Test
    void registry_that_does_not_parse_is_repaired_by_force() throws Exception {
        tree.file("registry/registry.toml", "[models.half\n");

        ImportSummary summary = importing().run(archive(Map.of("registry.toml", SMALL)), tree.registryFile(), true);

        assertThat(tree.registry().find("a")).isPresent();
        assertThat(Files.readString(summary.backup().orElseThrow())).isEqualTo("[models.half\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/etc/passwd", "../x", "a/../../x", "..", "a\\..\\x", "C:/x"})
    void member_that_reaches_out_refuses_the_whole_archive(String member) throws Exception {
        var members = new LinkedHashMap<String, String>();
        members.put("registry.toml", SMALL);
        members.put(member, "x");

        assertThat(refusal(ErrorCode.MODEL_ARCHIVE_INVALID, archive(members))).contains("reaches out of it");
        assertThat(tree.registryFile()).doesNotExist();
    }

    @Test
    void archives_that_are_none_are_refused_with_their_reason() throws Exception {
        Path file = tree.file("plain.tar.gz", "not an archive at all, but long enough to be looked at".repeat(20));
        Path zipped =
                tree.file("zipped.tar.gz", gzip("no tar in here".repeat(100).getBytes(StandardCharsets.UTF_8)));
        Path cut = tree.file("cut.tar.gz", Files.readAllBytes(archive(Map.of("registry.toml", SMALL))));
        Files.write(cut, java.util.Arrays.copyOf(Files.readAllBytes(cut), (int) Files.size(cut) / 2));

        assertThat(refusal(ErrorCode.MODEL_ARCHIVE_INVALID, tree.root().resolve("absent.tar.gz")))
                .contains("does not exist");
        assertThat(refusal(ErrorCode.MODEL_ARCHIVE_INVALID, tree.models())).contains("not a regular file");
        assertThat(refusal(ErrorCode.MODEL_ARCHIVE_INVALID, file)).contains("tar");
        assertThat(refusal(ErrorCode.MODEL_ARCHIVE_INVALID, zipped)).contains("tar");
        assertThat(refusal(ErrorCode.MODEL_ARCHIVE_INVALID, cut)).contains("no readable tar.gz");
        assertThat(refusal(ErrorCode.MODEL_ARCHIVE_INVALID, archive(Map.of("other.toml", SMALL))))
                .contains("holds none of");
        assertThat(refusal(ErrorCode.MODEL_ARCHIVE_INVALID, archive(Map.of("registry.toml", "[models.half"))))
                .contains("registry.toml:1:");
        assertThat(refusal(ErrorCode.MODEL_ARCHIVE_INVALID, archive(Map.of("registry.toml", "models = 3"))))
                .contains("models");
        assertThat(refusal(ErrorCode.MODEL_ARCHIVE_INVALID, archive(Map.of("registry.toml", "schema_version = 9"))))
                .contains("newer hal0");
        assertThat(tree.registryFile()).doesNotExist();
    }

    @Test
    void registry_that_is_a_link_or_comes_twice_is_refused() throws Exception {
        var bytes = new ByteArrayOutputStream();
        try (var tar = new TarArchiveOutputStream(bytes)) {
            var link = new TarArchiveEntry("registry.toml", TarConstants.LF_SYMLINK);
            link.setLinkName("/etc/passwd");
            tar.putArchiveEntry(link);
            tar.closeArchiveEntry();
        }
        Path linked = tree.file("link.tar.gz", gzip(bytes.toByteArray()));
        var twice = new LinkedHashMap<String, String>();
        twice.put("registry.toml", SMALL);
        twice.put("./registry.toml", SMALL);

        assertThat(refusal(ErrorCode.MODEL_ARCHIVE_INVALID, linked)).contains("not a regular file");
        assertThat(refusal(ErrorCode.MODEL_ARCHIVE_INVALID, archive(twice))).contains("twice");
    }

    @Test
    void sizes_are_bounded_whatever_the_archive_promises() throws Exception {
        var limits = new RegistryArchive.Limits(1 << 20, 1000, 3, 16 << 10);
        Path large = archive(Map.of("registry.toml", "#".repeat(2000)));
        Path bomb = archive(Map.of("x", "0".repeat(2 << 20)));
        Path many = archive(Map.of("a", "", "b", "", "c", "", "d", ""));
        Path longName = archive(Map.of("n".repeat(24 << 10), ""));

        assertThat(refusal(large, limits)).contains("more than 1000 bytes");
        assertThat(refusal(bomb, limits)).contains("larger than 1048576 bytes");
        assertThat(refusal(many, limits)).contains("more than 3 members");
        assertThat(refusal(longName, limits)).contains("the header of a member is too large");
    }

    @Test
    void folder_that_may_not_be_written_is_told_with_the_way_out() throws Exception {
        Path archive = archive(Map.of("registry.toml", SMALL));
        Path folder = tree.folder("registry");
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("r-xr-xr-x"));
        try {
            assumeThat(Files.isWritable(folder)).as("root writes everywhere").isFalse();
            assertThat(refusal(ErrorCode.SYSTEM_STORAGE, archive)).contains("sudo");
        } finally {
            Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        }
    }

    private RegistryImport importing() {
        return new RegistryImport(new DurableFiles(), new GgufReader(), InstantSource.fixed(NOW));
    }

    private String refusal(ErrorCode code, Path archive) {
        var message = new StringBuilder();
        assertThatExceptionOfType(Hal0Exception.class)
                .isThrownBy(() -> importing().run(archive, tree.registryFile(), false))
                .satisfies(refusal -> {
                    assertThat(refusal.code()).isEqualTo(code);
                    message.append(refusal.message());
                });
        return message.toString();
    }

    private String refusal(Path archive, RegistryArchive.Limits limits) {
        var message = new StringBuilder();
        assertThatExceptionOfType(Hal0Exception.class)
                .isThrownBy(() -> new RegistryArchive(archive, limits).read())
                .satisfies(refusal -> message.append(refusal.message()));
        return message.toString();
    }

    private Path archive(Map<String, String> members) throws IOException {
        var bytes = new ByteArrayOutputStream();
        try (var tar = new TarArchiveOutputStream(bytes)) {
            tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_GNU);
            for (var member : members.entrySet()) {
                byte[] content = member.getValue().getBytes(StandardCharsets.UTF_8);
                var entry = new TarArchiveEntry(member.getKey(), true);
                entry.setSize(content.length);
                tar.putArchiveEntry(entry);
                tar.write(content);
                tar.closeArchiveEntry();
            }
        }
        archives++;
        return tree.file("backup" + archives + ".tar.gz", gzip(bytes.toByteArray()));
    }

    private static byte[] gzip(byte[] content) throws IOException {
        var bytes = new ByteArrayOutputStream();
        try (var zip = new GZIPOutputStream(bytes)) {
            zip.write(content);
        }
        return bytes.toByteArray();
    }
}
