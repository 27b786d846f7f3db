package dev.hal0.models;

import static dev.hal0.models.TestingTree.REVISION;
import static dev.hal0.models.TestingTree.layer;
import static dev.hal0.models.TestingTree.projector;
import static dev.hal0.models.TestingTree.sha256;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.hal0.models.CapabilityGuess.Confidence;
import dev.hal0.testing.HostileGguf;
import dev.hal0.testing.TestingGguf;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelScanTest {
    @TempDir
    Path temporary;

    private TestingTree tree;

    @BeforeEach
    void place() throws Exception {
        tree = new TestingTree(temporary.toRealPath());
    }

    /** Pitfalls 8 (endings of hub links) and 15 (parts). */
    @Test
    void tree_of_every_kind_of_store_gives_the_complete_table() throws Exception {
        byte[] hubModel = TestingGguf.chat().withName("Hub Chat").bytes();
        byte[] hubEmbed = TestingGguf.embedding().bytes();
        Path hub = tree.hub("org/Qwen--x", REVISION, "sub/Qwen3.5-9B-Q4_K_M.gguf", hubModel);
        Path embed = tree.hub("org/Embed", REVISION, "embed.gguf", hubEmbed);
        byte[] ollamaModel = TestingGguf.chat().withName("Gemma").withSeed(7).bytes();
        byte[] ollamaEyes = projector(1).bytes();
        Path ollama = tree.ollamaBlob(ollamaModel);
        Path eyes = tree.ollamaBlob(ollamaEyes);
        tree.ollama(
                "registry.ollama.ai/library/gemma3/4b",
                layer("model", sha256(ollamaModel)) + "," + layer("projector", sha256(ollamaEyes)));
        Path studio = tree.chat(".lmstudio/models/publisher/Some-GGUF/Some-Q8_0.gguf");
        Path whole = tree.part("models/big", "whole", 1, 2);
        tree.part("models/big", "whole", 2, 2);
        Path cut = tree.part("models/big", "cut", 1, 3);
        tree.part("models/big", "cut", 3, 3);
        Path broken = tree.file("models/broken.gguf", new byte[] {'G', 'G', 'U', 'F', 3, 0, 0, 0});
        Path loop = tree.link("models/big/again", tree.models());
        Path knot = tree.link("models/knot.gguf", Path.of("knot.gguf"));
        Path nowhere = tree.link("models/gone.gguf", Path.of("/nowhere/gone.gguf"));
        tree.file("models/README.md", "not a model");
        Path plain = tree.chat("models/mine.gguf");
        tree.registry().add(plain, AddOptions.DEFAULT.withId("user.Mine"));

        ScanReport report = scan().preview(
                        List.of(
                                tree.models(),
                                tree.root().resolve("hub"),
                                tree.root().resolve("ollama"),
                                tree.root().resolve(".lmstudio/models"),
                                tree.root().resolve("absent")),
                        true);

        assertThat(report.rows())
                .extracting(
                        ScanRow::path,
                        ScanRow::suggestedId,
                        ScanRow::suggestedName,
                        ScanRow::parts,
                        row -> row.source().kind(),
                        ScanRow::capability,
                        ScanRow::confidence,
                        row -> String.join(",", row.suggestedLabels()),
                        row -> row.mmproj().orElse(null),
                        row -> row.alreadyRegistered().orElse(""))
                .containsExactlyInAnyOrder(
                        tuple(
                                hub,
                                "qwen3-5-9b-q4-k-m",
                                "Hub Chat",
                                1,
                                ModelSource.Kind.HF_CACHE,
                                ModelCapability.CHAT,
                                Confidence.HIGH,
                                "chat",
                                null,
                                ""),
                        tuple(
                                embed,
                                "embed",
                                "Testing Embed",
                                1,
                                ModelSource.Kind.HF_CACHE,
                                ModelCapability.EMBEDDING,
                                Confidence.HIGH,
                                "embed",
                                null,
                                ""),
                        tuple(
                                ollama,
                                "gemma3-4b",
                                "Gemma",
                                1,
                                ModelSource.Kind.OLLAMA,
                                ModelCapability.CHAT,
                                Confidence.HIGH,
                                "chat,vision",
                                eyes,
                                ""),
                        tuple(
                                studio,
                                "some-q8-0",
                                "Testing Chat",
                                1,
                                ModelSource.Kind.LM_STUDIO,
                                ModelCapability.CHAT,
                                Confidence.HIGH,
                                "chat",
                                null,
                                ""),
                        tuple(
                                whole,
                                "whole",
                                "Testing Chat",
                                2,
                                ModelSource.Kind.FOLDER,
                                ModelCapability.CHAT,
                                Confidence.HIGH,
                                "chat",
                                null,
                                ""),
                        tuple(
                                plain,
                                "user.Mine",
                                "Testing Chat",
                                1,
                                ModelSource.Kind.FOLDER,
                                ModelCapability.CHAT,
                                Confidence.HIGH,
                                "chat",
                                null,
                                "user.Mine"));
        assertThat(report.skipped())
                .extracting(SkippedPath::path, SkippedPath::reason)
                .containsExactlyInAnyOrder(
                        tuple(cut, "is incomplete: of 3 parts cut-00002-of-00003.gguf is not there"),
                        tuple(broken, reasonOf(report, broken)),
                        tuple(loop, "is a link back to " + tree.models() + ", which it lies in"),
                        tuple(knot, reasonOf(report, knot)),
                        tuple(nowhere, "is a link to a place that is not there"));
        assertThat(reasonOf(report, broken)).contains("truncated");
        assertThat(reasonOf(report, knot)).containsIgnoringCase("symbolic links");
        assertThat(report.complete()).isTrue();
        assertThat(report.warnings()).isEmpty();
        assertThat(report.roots())
                .extracting(root -> root.state().kind())
                .containsExactly(
                        StoreState.Kind.OK,
                        StoreState.Kind.OK,
                        StoreState.Kind.OK,
                        StoreState.Kind.OK,
                        StoreState.Kind.MISSING);

        ScanRow row = row(report, hub);
        assertThat(row.resolvedPath()).isEqualTo(hub.toRealPath());
        assertThat(row.sizeBytes()).isEqualTo(hubModel.length);
        assertThat(row.sha256()).hasValue(sha256(hubModel));
        assertThat(row.source().hfRepo()).hasValue("org/Qwen--x");
        assertThat(row.source().revision()).hasValue(REVISION);
        assertThat(row.source().hfFilename()).hasValue("sub/Qwen3.5-9B-Q4_K_M.gguf");
        assertThat(row.architecture()).isEqualTo("llama");
        assertThat(row.quantization()).isEqualTo("Q8_0");
        assertThat(row.contextLength()).isEqualTo(2048);
        assertThat(row.rawHints()).containsEntry("general_name", "Hub Chat").containsEntry("chat_template", true);
        assertThat(row(report, studio).source().hfRepo()).hasValue("publisher/Some-GGUF");
        assertThat(row(report, ollama).sha256()).hasValue(sha256(ollamaModel));
        assertThat(row(report, ollama).mmprojReason()).isEqualTo("its manifest names it");
        assertThat(row(report, whole).sizeBytes())
                .isEqualTo(Files.size(whole) + Files.size(whole.resolveSibling("whole-00002-of-00002.gguf")));
    }

    @Test
    void scan_writes_nothing() throws Exception {
        tree.chat("models/a.gguf");

        scan().preview(List.of(tree.models()), true);

        assertThat(tree.registryFile()).doesNotExist();
        try (var files = Files.walk(tree.root())) {
            assertThat(files.filter(Files::isRegularFile)).hasSize(1);
        }
    }

    @Test
    void words_for_parts_of_comfyui_hide_nothing_elsewhere() {
        Path mine = tree.chat("models/embeddings/voices/mine.gguf");
        tree.chat("models/comfyui/models/embeddings/part.gguf");
        Path image = tree.file("models/comfyui/models/checkpoints/turbo.safetensors", "weights");
        Path unknown = tree.file("models/some.safetensors", "weights");

        ScanReport report = scan().preview(List.of(tree.models()), true);

        assertThat(report.rows())
                .extracting(ScanRow::path, ScanRow::capability, ScanRow::confidence)
                .containsExactlyInAnyOrder(
                        tuple(mine, ModelCapability.CHAT, Confidence.HIGH),
                        tuple(image, ModelCapability.IMAGE, Confidence.LOW));
        assertThat(report.skipped())
                .extracting(SkippedPath::path)
                .containsExactly(tree.root().resolve("models/comfyui/models/embeddings"), unknown);
    }

    @Test
    void files_that_are_no_models_by_their_name_are_told() throws Exception {
        Path hidden = tree.chat("models/.hidden.gguf");
        Path checksum = tree.chat("models/0123456789abcdef0123456789abcdef.gguf");
        Path folder = tree.folder("models/folder.gguf");
        tree.chat("models/.tmp/half.gguf");
        tree.chat("models/x.gguf.tmp");

        ScanReport report = scan().preview(List.of(tree.models()), true);

        assertThat(report.rows()).isEmpty();
        assertThat(report.skipped()).extracting(SkippedPath::path).containsExactly(hidden, checksum);
        assertThat(folder).isDirectory();
    }

    @Test
    void broken_files_of_every_kind_are_skipped_with_a_reason_and_end_nothing() {
        List<HostileGguf> hostile = HostileGguf.all();
        for (int index = 0; index < hostile.size(); index++) {
            tree.file("models/hostile" + index + ".gguf", hostile.get(index).content());
        }
        Path good = tree.chat("models/zz.gguf");

        ScanReport report = scan().preview(List.of(tree.models()), true);

        assertThat(report.rows()).extracting(ScanRow::path).containsExactly(good);
        assertThat(report.skipped())
                .hasSize(hostile.size())
                .allSatisfy(skipped -> assertThat(skipped.reason())
                        .isNotBlank()
                        .doesNotContain(tree.root().toString()));
    }

    @Test
    void folder_that_may_not_be_read_is_skipped() throws Exception {
        tree.chat("models/closed/a.gguf");
        Path closed = tree.root().resolve("models/closed");
        Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("---------"));
        try {
            assumeThat(Files.isReadable(closed)).as("root opens every door").isFalse();
            assertThat(scan().preview(List.of(tree.models()), true).skipped())
                    .containsExactly(new SkippedPath(closed, "cannot be listed: permission denied"));
        } finally {
            Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("rwx------"));
        }
    }

    @Test
    void stale_mount_inside_a_root_is_skipped_and_a_stale_root_is_unavailable() {
        Path good = tree.chat("models/a.gguf");
        tree.chat("models/far/b.gguf");
        Path far = tree.root().resolve("models/far");

        ScanReport inside = scan(new FailingDisk(far)).preview(List.of(tree.models()), true);
        ScanReport whole = scan(new FailingDisk(tree.models())).preview(List.of(tree.models()), true);

        assertThat(inside.rows()).extracting(ScanRow::path).containsExactly(good);
        assertThat(inside.skipped()).containsExactly(new SkippedPath(far, "Stale file handle"));
        assertThat(whole.rows()).isEmpty();
        assertThat(whole.roots()).extracting(root -> root.state().kind()).containsExactly(StoreState.Kind.UNAVAILABLE);
    }

    @Test
    void time_that_is_up_gives_a_partial_result_that_says_so() {
        for (int number = 0; number < 20; number++) {
            tree.chat("models/f" + number % 4 + "/m" + number + ".gguf");
        }
        var ticks = new AtomicLong();
        // A second per look: 4 folders and 20 files take more than 30 of them.
        var scan = new ModelScan(
                tree.registry(),
                Disk.SYSTEM,
                () -> Duration.ofSeconds(ticks.getAndIncrement()).toNanos(),
                ModelScan.BUDGET);

        ScanReport report = scan.preview(List.of(tree.models()), true);

        assertThat(report.complete()).isFalse();
        assertThat(report.warnings())
                .isNotEmpty()
                .allSatisfy(warning -> assertThat(warning).startsWith("The 30 s for a scan were up: "));
        assertThat(report.rows()).hasSizeLessThan(20);
        assertThat(ticks.get()).isLessThan(120);
    }

    @Test
    void folder_behind_two_names_is_walked_once_and_keeps_its_own() {
        Path model = tree.chat("models/real/a.gguf");
        tree.link("models/alias", tree.root().resolve("models/real"));
        tree.link("models/also.gguf", model);

        ScanReport report = scan().preview(List.of(tree.models(), tree.root().resolve("models/real")), true);

        assertThat(report.rows()).hasSize(1);
        assertThat(report.skipped())
                .hasSize(1)
                .first()
                .satisfies(skipped -> assertThat(skipped.reason()).startsWith("is the same file as "));
    }

    @Test
    void ids_that_collide_get_a_suffix_that_does_not_depend_on_the_others() {
        Path first = tree.chat("models/a/Model X.gguf");
        Path second = tree.chat("models/b/model.x.gguf");
        tree.registry().add(tree.chat("models/minilm.gguf"), AddOptions.DEFAULT.withId("Taken"));
        Path taken = tree.chat("models/taken.gguf");
        Path builtIn = tree.chat("models/all-MiniLM-L6-v2.gguf");

        ScanReport all = scan().preview(List.of(tree.models()), true);

        assertThat(row(all, first).suggestedId()).isEqualTo("model-x");
        assertThat(row(all, second).suggestedId()).matches("model-x-[0-9a-f]{6}");
        assertThat(row(all, taken).suggestedId()).matches("taken-[0-9a-f]{6}");
        assertThat(row(all, builtIn).suggestedId()).matches("all-minilm-l6-v2-[0-9a-f]{6}");
        assertThat(scan().preview(List.of(tree.models()), true)).isEqualTo(all);
    }

    @Test
    void old_revision_of_a_hub_cache_does_not_take_the_current_one_s_id() {
        Path old =
                tree.hub("org/m", "0".repeat(40), "m.gguf", TestingGguf.chat().bytes());
        Path current = tree.hub(
                "org/m",
                "f".repeat(40),
                "m.gguf",
                TestingGguf.chat().withSeed(2).bytes());
        Path same =
                tree.hub("org/m", "9".repeat(40), "m.gguf", TestingGguf.chat().bytes());
        tree.file("hub/models--org--m/refs/main", "f".repeat(40));

        ScanReport report = scan().preview(List.of(tree.root().resolve("hub")), true);

        assertThat(row(report, current).suggestedId()).isEqualTo("m");
        assertThat(row(report, old).suggestedId()).startsWith("m-");
        assertThat(report.skipped()).containsExactly(new SkippedPath(same, "is the same file as " + old));
    }

    /** Pitfall 9: a name decides only where nothing else does, and not two ways about the same bytes. */
    @Test
    void equal_content_under_two_names_is_one_capability() {
        byte[] bytes = TestingGguf.chat().withChatTemplate("").bytes();
        tree.hub("org/a", REVISION, "nomic-embed.gguf", bytes);
        tree.ollamaBlob(bytes);
        tree.ollama("registry.ollama.ai/library/plain/latest", layer("model", sha256(bytes)));

        ScanReport report =
                scan().preview(List.of(tree.root().resolve("hub"), tree.root().resolve("ollama")), true);

        assertThat(report.rows()).hasSize(2);
        assertThat(report.rows()).extracting(ScanRow::capability).containsOnly(ModelCapability.EMBEDDING);
        assertThat(report.rows()).extracting(ScanRow::confidence).containsOnly(Confidence.MEDIUM);
    }

    @Test
    void llama_cpp_cache_tells_its_coordinates_by_manifest_note_or_name() {
        String manifest = "{\"ggufFile\": {\"rfilename\": \"sub/Gem_ma.gguf\"}}";
        tree.file("cache/manifest=ggml-org=gemma_GGUF=latest.json", manifest);
        Path listed = tree.chat("cache/ggml-org_gemma_GGUF_sub_Gem_ma.gguf");
        Path noted = tree.chat("cache/org_a_b.gguf");
        tree.file("cache/org_a_b.gguf.json", "{\"url\": \"https://host.example/org/a/resolve/main/b.gguf\"}");
        Path tagged = tree.chat("cache/TheOrg_Some_Model-GGUF_Some_Model.Q4_K_M.gguf");
        tree.file("cache/TheOrg_Some_Model-GGUF_Some_Model.Q4_K_M.gguf.etag", "\"x\"");
        Path plain = tree.chat("cache/plain_file.gguf");
        tree.file("cache/manifest=broken=x=y.json", "{");

        ScanReport report = scan().preview(List.of(tree.root().resolve("cache")), true);

        assertThat(report.rows())
                .extracting(
                        ScanRow::path,
                        row -> row.source().kind(),
                        row -> row.source().hfRepo().orElse(""),
                        row -> row.source().hfFilename().orElse(""),
                        ScanRow::suggestedId)
                .containsExactlyInAnyOrder(
                        tuple(listed, ModelSource.Kind.LLAMA_CACHE, "ggml-org/gemma_GGUF", "sub/Gem_ma.gguf", "gem-ma"),
                        tuple(noted, ModelSource.Kind.LLAMA_CACHE, "org/a", "b.gguf", "b"),
                        tuple(
                                tagged,
                                ModelSource.Kind.LLAMA_CACHE,
                                "TheOrg/Some_Model-GGUF",
                                "Some_Model.Q4_K_M.gguf",
                                "some-model-q4-k-m"),
                        tuple(plain, ModelSource.Kind.FOLDER, "", "", "plain-file"));
    }

    @Test
    void ollama_manifests_that_name_no_file_are_skipped_and_no_digest_leads_out_of_the_store() {
        Path outside = tree.chat("secret.gguf");
        tree.folder("ollama/blobs");
        Path climbing = tree.ollama("h/library/climb/latest", layer("model", "../../" + outside.getFileName()));
        Path absent = tree.ollama("h/library/absent/latest", layer("model", "a".repeat(64)));
        Path empty = tree.ollama("h/library/empty/latest", "");
        Path torn = tree.file("ollama/manifests/h/library/torn/latest", "{");
        byte[] model = TestingGguf.chat().bytes();
        tree.ollamaBlob(model);
        tree.ollama("h/someone/theirs/q4", layer("model", sha256(model)));

        ScanReport report = scan().preview(List.of(tree.root().resolve("ollama")), true);

        assertThat(report.rows()).extracting(ScanRow::suggestedId).containsExactly("someone-theirs-q4");
        assertThat(report.skipped())
                .extracting(SkippedPath::path)
                .containsExactlyInAnyOrder(climbing, absent, empty, torn);
    }

    @Test
    void set_of_parts_needs_every_part_and_each_of_them_whole() throws Exception {
        Path only = tree.part("models", "second", 2, 2);
        Path odd = tree.part("models", "odd", 5, 3);
        Path many = tree.part("models", "many", 1, 99_999);
        Path hollow = tree.part("models", "hollow", 1, 2);
        tree.file("models/hollow-00002-of-00002.gguf", "no model");
        tree.part("models/x", "twin", 1, 2);
        Path other = tree.part("models/y", "twin", 2, 2);

        ScanReport report = scan().preview(List.of(tree.models()), true);

        assertThat(report.rows()).isEmpty();
        assertThat(reasonOf(report, only))
                .isEqualTo("is incomplete: of 2 parts second-00001-of-00002.gguf is not there");
        assertThat(reasonOf(report, odd)).isEqualTo("calls itself part 5 of 3");
        assertThat(reasonOf(report, many)).contains("many-00004-of-99999.gguf and 99995 more are not there");
        assertThat(reasonOf(report, hollow)).contains("hollow-00002-of-00002.gguf");
        assertThat(reasonOf(report, other)).contains("twin-00001-of-00002.gguf is not there");
    }

    @Test
    void projector_goes_to_the_model_whose_name_it_shares_and_the_most_precise_wins() {
        Path seven = tree.chat("models/Qwen2-VL-7B-Q4_K_M.gguf");
        Path two = tree.chat("models/Qwen2-VL-2B-Q4_K_M.gguf");
        Path embed = TestingGguf.embedding().writeTo(tree.root().resolve("models/bge-m3.gguf"));
        projector(7).writeTo(tree.root().resolve("models/mmproj-Qwen2-VL-7B-Q8_0.gguf"));
        Path half = projector(1).writeTo(tree.root().resolve("models/mmproj-Qwen2-VL-7B-F16.gguf"));
        Path anyone = projector(0).writeTo(tree.root().resolve("models/mmproj-F32.gguf"));

        ScanReport report = scan().preview(List.of(tree.models()), true);

        assertThat(row(report, seven).mmproj()).hasValue(half);
        assertThat(row(report, seven).mmprojReason()).contains("words of its name; F16 is the most precise of 2");
        assertThat(row(report, seven).suggestedLabels()).containsExactly("chat", "vision");
        assertThat(row(report, two).mmproj()).isEmpty();
        assertThat(row(report, two).mmprojReason()).contains("none shares its name, and the folder has several models");
        assertThat(row(report, embed).mmprojReason()).isEmpty();
        assertThat(report.skipped())
                .extracting(SkippedPath::path)
                .contains(anyone)
                .doesNotContain(half);
    }

    @Test
    void nameless_projector_goes_to_all_quantizations_of_the_only_model() {
        Path four = tree.chat("models/gemma-3-4b-it-Q4_K_M.gguf");
        Path eight = tree.chat("models/gemma-3-4b-it-Q8_0.gguf");
        Path precise = projector(0).writeTo(tree.root().resolve("models/mmproj-model-f32.gguf"));
        projector(1).writeTo(tree.root().resolve("models/mmproj-model-f16.gguf"));

        ScanReport report = scan().preview(List.of(tree.models()), true);

        assertThat(List.of(row(report, four), row(report, eight))).allSatisfy(row -> {
            assertThat(row.mmproj()).hasValue(precise);
            assertThat(row.mmprojReason()).isEqualTo("the folder has no other model; F32 is the most precise of 2");
        });
    }

    @Test
    void template_that_speaks_of_tools_suggests_tool_calling() {
        Path model = TestingGguf.chat()
                .withChatTemplate("{% if tools %}{{ tools }}{% endif %}")
                .writeTo(tree.root().resolve("models/t.gguf"));

        assertThat(row(scan().preview(List.of(tree.models()), true), model).suggestedLabels())
                .containsExactly("chat", "tool-calling");
    }

    @Test
    void only_the_folder_itself_is_looked_at_when_not_recursive() {
        Path top = tree.chat("models/a.gguf");
        tree.chat("models/below/b.gguf");

        assertThat(scan().preview(List.of(tree.models()), false).rows())
                .extracting(ScanRow::path)
                .containsExactly(top);
    }

    private static ScanRow row(ScanReport report, Path path) {
        return report.rows().stream()
                .filter(row -> row.path().equals(path))
                .findFirst()
                .orElseThrow();
    }

    private static String reasonOf(ScanReport report, Path path) {
        return report.skipped().stream()
                .filter(skipped -> skipped.path().equals(path))
                .map(SkippedPath::reason)
                .findFirst()
                .orElse("");
    }

    private ModelScan scan() {
        return scan(Disk.SYSTEM);
    }

    private ModelScan scan(Disk disk) {
        return new ModelScan(tree.registry(), disk, () -> 0, ModelScan.BUDGET);
    }
}
