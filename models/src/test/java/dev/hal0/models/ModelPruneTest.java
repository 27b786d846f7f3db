package dev.hal0.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Pitfall 6: entries of deleted files go, and nothing that only looks deleted. */
class ModelPruneTest {
    @TempDir
    Path temporary;

    private TestingTree tree;

    @BeforeEach
    void place() throws Exception {
        tree = new TestingTree(temporary.toRealPath());
    }

    @Test
    void dry_run_names_what_is_gone_and_changes_nothing() throws Exception {
        Path gone = registered("models/gone.gguf");
        registered("models/here.gguf");
        Files.delete(gone);
        String before = Files.readString(tree.registryFile());

        PruneReport report = prune().preview(Set.of());

        assertThat(report.gone()).containsExactly(new PruneReport.Row("gone", gone, "there is no file " + gone));
        assertThat(report.kept()).isEmpty();
        assertThat(report.applied()).isFalse();
        assertThat(Files.readString(tree.registryFile())).isEqualTo(before);
    }

    @Test
    void applied_it_removes_the_entries_and_leaves_files_and_comments() throws Exception {
        Path gone = registered("models/gone.gguf");
        Path emptied = registered("models/emptied.gguf");
        Files.writeString(tree.registryFile(), "# mine\n" + Files.readString(tree.registryFile()));
        Files.delete(gone);
        Files.write(emptied, new byte[0]);

        PruneReport report = prune().apply(Set.of());

        assertThat(report.applied()).isTrue();
        assertThat(tree.registry().find("gone")).isEmpty();
        assertThat(tree.registry().find("emptied")).as("0 bytes is not gone").isPresent();
        assertThat(Files.readString(tree.registryFile())).startsWith("# mine\n");
    }

    @Test
    void id_in_use_and_pull_under_way_are_reported_and_kept() throws Exception {
        registered("models/here.gguf");
        Files.delete(registered("models/used.gguf"));
        Files.writeString(tree.registryFile(), Files.readString(tree.registryFile()) + """

                [models.coming]
                path = "%s/coming.gguf"
                capabilities = ["chat"]
                state = "pulling"
                """.formatted(tree.models()));

        PruneReport report = prune().apply(Set.of("used"));

        assertThat(report.gone()).isEmpty();
        assertThat(report.kept()).extracting(PruneReport.Row::id).containsExactly("coming", "used");
        assertThat(report.kept().getLast().reason()).endsWith("; it is in use");
        assertThat(tree.registry().list()).hasSize(4);
    }

    @Test
    void root_that_answers_with_an_error_is_not_empty() throws Exception {
        Path model = registered("models/a.gguf");
        Files.delete(model);

        PruneReport report = prune(new FailingDisk(tree.models())).apply(Set.of());

        assertThat(report.gone()).isEmpty();
        assertThat(report.kept())
                .singleElement()
                .satisfies(row -> assertThat(row.reason()).contains("Stale file handle"));
    }

    @Test
    void root_with_nothing_in_it_may_be_an_unmounted_volume() throws Exception {
        Files.delete(registered("models/a.gguf"));

        assertThat(prune().apply(Set.of()).kept())
                .singleElement()
                .satisfies(row -> assertThat(row.reason()).contains("on which nothing is mounted"));
        assertThat(tree.registry().find("a")).isPresent();
    }

    @Test
    void link_to_a_volume_that_is_away_is_kept_and_one_to_a_deleted_file_is_gone() throws Exception {
        Path onVolume = tree.chat("mnt/away/a.gguf");
        Path deleted = tree.chat("mnt/here/b.gguf");
        tree.chat("mnt/here/other.gguf");
        Path first = tree.link("models/a.gguf", onVolume);
        Path second = tree.link("models/b.gguf", deleted);
        tree.registry().add(first, AddOptions.DEFAULT);
        tree.registry().add(second, AddOptions.DEFAULT);
        forgetVolumes();
        Files.delete(onVolume);
        Files.delete(onVolume.getParent());
        Files.delete(deleted);

        PruneReport report = prune().apply(Set.of());

        assertThat(report.gone()).extracting(PruneReport.Row::id).containsExactly("b");
        assertThat(report.kept()).extracting(PruneReport.Row::id).containsExactly("a");
        assertThat(report.kept().getFirst().reason()).contains("is its volume mounted?");
        assertThat(first).isSymbolicLink();
        assertThat(second).isSymbolicLink();
    }

    @Test
    void file_in_no_known_root_is_gone_only_when_its_folder_can_be_read() throws Exception {
        Path noFolder = registered("elsewhere/x/a.gguf");
        Path inFolder = registered("elsewhere/y/b.gguf");
        tree.chat("elsewhere/y/other.gguf");
        Files.delete(noFolder);
        Files.delete(noFolder.getParent());
        Files.delete(inFolder);

        PruneReport report = prune().preview(Set.of());

        assertThat(report.gone()).extracting(PruneReport.Row::id).containsExactly("b");
        assertThat(report.kept())
                .extracting(PruneReport.Row::id, row -> row.reason().contains("no known root"))
                .containsExactly(tuple("a", true));
    }

    @Test
    void model_that_lost_one_part_is_broken_and_not_gone() throws Exception {
        Path first = tree.part("models", "big", 1, 2);
        Path second = tree.part("models", "big", 2, 2);
        tree.chat("models/here.gguf");
        tree.registry().add(first, AddOptions.DEFAULT);
        Files.delete(second);

        assertThat(prune().preview(Set.of()).kept()).hasSize(1);
        Files.delete(first);
        assertThat(prune().preview(Set.of()).gone()).hasSize(1);
    }

    private Path registered(String path) {
        Path file = tree.chat(path);
        tree.registry().add(file, AddOptions.DEFAULT);
        return file;
    }

    /** As entries of older files are. */
    private void forgetVolumes() throws Exception {
        Files.writeString(
                tree.registryFile(), Files.readString(tree.registryFile()).replaceAll("(?m)^volume = .*\\n?", ""));
    }

    private ModelPrune prune() {
        return prune(Disk.SYSTEM);
    }

    private ModelPrune prune(Disk disk) {
        return new ModelPrune(
                tree.registry(), new StoreRoot(tree.models(), StoreRoot.Source.STORE, List.of(), disk), disk);
    }
}
