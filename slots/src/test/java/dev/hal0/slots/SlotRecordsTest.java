package dev.hal0.slots;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hal0.kernel.DeviceClass;
import dev.hal0.kernel.DurableFiles;
import dev.hal0.kernel.SlotName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class SlotRecordsTest {
    private static final String SETTLED =
            "\"state\":\"ready\",\"since\":\"2026-01-02T03:04:05Z\",\"cause\":\"healthy\",\"message\":\"\"";
    private static final String COPIED = "{\"name\":\"other\"," + SETTLED + "}";
    private static final String NO_PLAN =
            "{\"name\":\"chat\"," + SETTLED + ",\"launch\":{\"nonce\":\"n\",\"plan\":{}}}";

    @TempDir
    private Path folder;

    private SlotRecords records;

    @BeforeEach
    void openFolder() {
        records = new SlotRecords(folder, new DurableFiles(new SwitchableDisk()));
    }

    @ParameterizedTest
    @EnumSource(SlotState.class)
    void writtenMachine_readsBackSettled(SlotState state) {
        SlotMachine machine = machine(state);

        records.write(machine);

        SlotMachine read = records.read(Samples.SLOT).orElseThrow().toMachine();
        assertThat(read.state()).isEqualTo(state == SlotState.ERROR ? SlotState.ERROR : SlotState.OFFLINE);
        assertThat(read.launch()).isEqualTo(machine.launch());
        assertThat(read.desired()).isTrue();
        assertThat(read.failures()).isEqualTo(3);
        assertThat(read.cause()).isEqualTo(CauseCode.HEALTHY);
        assertThat(read.operations()).isEmpty();
        assertThat(read.closing()).isEqualTo(SlotMachine.Closing.NO);
    }

    @Test
    void launchThatWasNotSeenYet_readsBackWithoutIncarnation() {
        SlotMachine machine = machine(SlotState.STARTING)
                .withLaunch(Optional.of(
                        new Launch("n1", Samples.plan(Samples.SLOT, "small"), OptionalLong.of(5), Optional.empty())));

        records.write(machine);

        assertThat(records.read(Samples.SLOT).orElseThrow().toMachine().launch())
                .isEqualTo(machine.launch());
    }

    /** What was recorded is compared with what runs: a container's limits are part of it. */
    @Test
    void containerOfALaunch_readsBack() {
        LaunchPlan plan = Samples.plan(Samples.SLOT, "small")
                .withContainer(new ContainerFacts("cpu", DeviceClass.DRI, "--host", true, false, 64, 1L << 30));
        records.write(machine(SlotState.STARTING)
                .withLaunch(Optional.of(new Launch("n1", plan, OptionalLong.empty(), Optional.empty()))));

        LaunchPlan read = records.read(Samples.SLOT)
                .orElseThrow()
                .toMachine()
                .launch()
                .orElseThrow()
                .plan();
        assertThat(read).isEqualTo(plan);
        assertThat(read.hash())
                .isEqualTo(plan.hash())
                .isNotEqualTo(Samples.plan(Samples.SLOT, "small").hash());
    }

    @Test
    void file_isForItsOwnerOnly() throws IOException {
        records.write(machine(SlotState.READY));

        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file())))
                .isEqualTo("rw-------");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{",
                "[]",
                "null",
                "{\"name\":\"chat\",\"state\":\"dancing\"}",
                "{\"name\":\"Not A Name\"}",
                "{\"name\":\"chat\"}",
                COPIED,
                NO_PLAN
            })
    void unreadableFile_isIgnored(String content) throws IOException {
        Files.createDirectories(file().getParent());
        Files.writeString(file(), content);

        assertThat(records.read(Samples.SLOT)).isEmpty();
        assertThat(records.recorded()).containsExactly(Samples.SLOT);
    }

    @Test
    void fileOfALaterVersion_isReadByWhatIsKnown() throws IOException {
        records.write(machine(SlotState.READY));
        Files.writeString(file(), Files.readString(file()).replaceFirst("\\{", "{\"invented_later\": 1,"));

        assertThat(records.read(Samples.SLOT)).isPresent();
    }

    @Test
    void recorded_listsOnlyFoldersWithARecord() throws IOException {
        assertThat(records.recorded()).isEmpty();
        records.write(machine(SlotState.OFFLINE));
        Files.createDirectories(folder.resolve("empty"));
        Files.createDirectories(folder.resolve("Not A Slot"));
        Files.writeString(folder.resolve("Not A Slot/state.json"), "{}");

        assertThat(records.recorded()).containsExactly(Samples.SLOT);

        records.delete(Samples.SLOT);
        assertThat(records.recorded()).isEmpty();
        assertThat(records.read(Samples.SLOT)).isEmpty();
    }

    @Test
    void planHash_isStableAcrossVersionsAndMapOrders() {
        LaunchPlan plan = Samples.plan(Samples.SLOT, "small");

        assertThat(plan.hash()).isEqualTo(PLAN_HASH);
        assertThat(Samples.plan(new SlotName("other"), "small").hash())
                .as("where the key lies is no reason to restart")
                .isEqualTo(PLAN_HASH);
    }

    @Test
    void planHash_tellsApartWhatARestartWouldChange() {
        LaunchPlan plan = Samples.plan(Samples.SLOT, "small");

        assertThat(List.of(
                        plan.hash(),
                        with(plan, List.of("--model small"), Map.of(), 8081, 2).hash(),
                        with(plan, List.of("--model", "small"), Map.of(), 8081, 2)
                                .hash(),
                        with(plan, List.of("--model", "small"), Map.of("A", "1"), 8081, 2)
                                .hash(),
                        with(plan, List.of("--model", "small", "A=1"), Map.of(), 8081, 2)
                                .hash(),
                        with(plan, List.of("--model", "small"), Map.of(), 8082, 2)
                                .hash(),
                        with(plan, List.of("--model", "small"), Map.of(), 8081, 3)
                                .hash()))
                .doesNotHaveDuplicates();
    }

    private static final String PLAN_HASH = "02aa2731cf6d4c734f6a3e332389f71c8af77335e588ccf89030b948ad951565";

    private static LaunchPlan with(
            LaunchPlan plan, List<String> arguments, Map<String, String> environment, int port, int permits) {
        return new LaunchPlan(
                plan.slot(),
                plan.engine(),
                plan.program(),
                arguments,
                environment,
                plan.readablePaths(),
                plan.keyFile(),
                plan.modelId(),
                plan.host(),
                port,
                permits,
                plan.expected());
    }

    private Path file() {
        return folder.resolve("chat/state.json");
    }

    private static SlotMachine machine(SlotState state) {
        return new SlotMachine(
                Samples.SLOT,
                state,
                Instant.parse("2026-01-02T03:04:05Z"),
                CauseCode.HEALTHY,
                "fine",
                true,
                Optional.of(new Launch(
                        "n1",
                        Samples.plan(Samples.SLOT, "small"),
                        OptionalLong.empty(),
                        Optional.of(new Incarnation("boot:12:34")))),
                Set.of(),
                Set.of(),
                Optional.empty(),
                Optional.empty(),
                3,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                SlotMachine.Closing.NO,
                CauseCode.HEALTHY);
    }
}
