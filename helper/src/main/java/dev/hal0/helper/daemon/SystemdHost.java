package dev.hal0.helper.daemon;

import dev.hal0.helper.ContainerHost;
import dev.hal0.helper.ContainerPlan;
import dev.hal0.helper.ContainerStatus;
import dev.hal0.helper.Difference;
import dev.hal0.helper.HostFacts;
import dev.hal0.kernel.CommandResult;
import dev.hal0.kernel.DurableFiles;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.SlotName;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.StreamSupport;
import tools.jackson.databind.JsonNode;

/** Does what may be asked, with systemctl and podman. Every change to a slot is made under its lock. */
final class SystemdHost implements ContainerHost {
    /** Beyond the unit's own {@code TimeoutStartSec}, so that systemd is the one to say what happened. */
    private static final Duration START = Duration.ofSeconds(120);

    private static final Duration QUICK = Duration.ofSeconds(20);
    private static final Duration LONGEST_GRACE = Duration.ofSeconds(75);
    private static final Duration BEYOND_GRACE = Duration.ofSeconds(3);
    private static final Duration AFTER_KILL = Duration.ofSeconds(10);
    private static final long POLL_MILLIS = 50;

    private final Policy policy;
    private final PlanCheck check;
    private final Tools tools;
    private final SlotPaths paths;
    private final DurableFiles files;
    private final MachineDevices devices;
    private final Observer observer;
    private final Egress egress;
    private final ImagePull imagePull;

    SystemdHost(Policy policy, TrustedPath trust, Tools tools, SlotPaths paths, MachineDevices devices) {
        this.policy = policy;
        this.check = new PlanCheck(policy, trust);
        this.tools = tools;
        this.paths = paths;
        this.files = new DurableFiles();
        this.devices = devices;
        this.observer = new Observer(tools);
        this.egress = new Egress(tools, files, paths);
        this.imagePull = new ImagePull(tools.podman());
    }

    @Override
    public HostFacts facts() {
        CommandResult podman = tools.podman(QUICK, "--version").requireSuccess("Asking podman for its version");
        CommandResult systemd = tools.systemctl(QUICK, "--version").requireSuccess("Asking systemd for its version");
        return new HostFacts(
                podman.stdout().strip(),
                systemd.stdout().lines().findFirst().orElse("").strip(),
                policy.modelRoots().stream().map(Path::toString).toList(),
                policy.firstPort(),
                policy.lastPort());
    }

    /** A plan that root agrees to, with everything that only root knows. */
    private record Checked(List<String> command, List<Path> roots) {}

    private Checked checked(ContainerPlan plan) {
        List<Path> roots = check.check(plan);
        MachineDevices.Found found = devices.find(plan.devices());
        return new Checked(PodmanCommand.run(tools.podman(), plan, roots, found, caller(), paths), roots);
    }

    /** The user's own numbers: a name would be looked up inside the image. */
    private String caller() {
        String uid = tools.run(tools.id(), QUICK, List.of("--user", "--", policy.user()))
                .requireSuccess("Looking up user " + policy.user())
                .stdout()
                .strip();
        String gid = tools.run(tools.id(), QUICK, List.of("--group", "--", policy.user()))
                .requireSuccess("Looking up the group of " + policy.user())
                .stdout()
                .strip();
        return uid + ":" + gid;
    }

    @Override
    public List<String> preview(ContainerPlan plan) {
        return checked(plan).command();
    }

    @Override
    public String launch(ContainerPlan plan, String key) {
        Checked checked = checked(plan);
        SlotName slot = plan.slot();
        if (image(plan.image()).isEmpty()) {
            throw new Hal0Exception(
                            ErrorCode.SLOT_IMAGE_MISSING, "The image " + plan.image() + " is not on this machine.")
                    .withDetail("image", plan.image());
        }
        try (var lock = SlotLock.take(paths, slot)) {
            ContainerStatus before = observer.unit(slot);
            if (before.isMasked() || isMaskedOnDisk(slot)) {
                throw StartFailure.masked(slot);
            }
            if (before.isLive() || before.isStarting() || before.isRestarting()) {
                end(slot, Duration.ofSeconds(10));
            }
            requireFreePort(plan);
            requireNobodyElsesPort(plan);
            if (!plan.outbound()) {
                egress.prepare();
            }
            writeLaunchFiles(plan, key);
            writeUnit(
                    slot,
                    SlotUnit.text(
                            slot,
                            plan.port(),
                            checked.command(),
                            checked.roots(),
                            plan.outbound() ? null : tools.nft(),
                            paths));
            tools.systemctl(QUICK, "reset-failed", "--", SlotPaths.unit(slot));
            return start(slot);
        }
    }

    private String start(SlotName slot) {
        CommandResult started;
        try {
            started = tools.systemctl(START, "start", "--", SlotPaths.unit(slot));
        } catch (Hal0Exception stuck) {
            end(slot, Duration.ZERO);
            throw stuck;
        }
        ContainerStatus now = observer.unit(slot);
        if (started.succeeded() && now.isLive()) {
            return now.invocation();
        }
        List<String> lastLines = now.invocation().isEmpty() ? List.of() : observer.lastLines(slot, now.invocation());
        // systemd would try again, and the caller was told that nothing runs.
        end(slot, Duration.ZERO);
        throw StartFailure.of(slot, now, started.stderr(), lastLines);
    }

    /** systemd may not have looked since: a link to nowhere in the unit's place is a mask, and not to be written through. */
    private boolean isMaskedOnDisk(SlotName slot) {
        return Files.isSymbolicLink(paths.unitFile(slot));
    }

    private void requireFreePort(ContainerPlan plan) {
        try (var probe = new ServerSocket(plan.port(), 1, InetAddress.getByName("127.0.0.1"))) {
            probe.setReuseAddress(true);
        } catch (IOException taken) {
            throw portConflict(plan, "in use by another program on this machine (" + taken.getMessage() + ")");
        }
    }

    private void requireNobodyElsesPort(ContainerPlan plan) {
        Path own = paths.unitFile(plan.slot());
        try (DirectoryStream<Path> units = Files.newDirectoryStream(paths.units(), "hal0-slot@*.service")) {
            Optional<Path> owner = StreamSupport.stream(units.spliterator(), false)
                    .filter(unit -> !unit.equals(own) && !Files.isSymbolicLink(unit))
                    .filter(unit ->
                            files.read(unit).map(SlotUnit::port).equals(Optional.of(OptionalInt.of(plan.port()))))
                    .findFirst();
            if (owner.isPresent()) {
                throw portConflict(plan, "the port of " + owner.get().getFileName());
            }
        } catch (IOException unreadable) {
            throw new Hal0Exception(
                    ErrorCode.SYSTEM_STORAGE, "Could not read " + paths.units() + ": " + unreadable, unreadable);
        }
    }

    private static Hal0Exception portConflict(ContainerPlan plan, String why) {
        return new Hal0Exception(
                        ErrorCode.SLOT_PORT_CONFLICT,
                        "Port " + plan.port() + " of slot " + plan.slot() + " is " + why + ".")
                .withDetail("port", plan.port());
    }

    private void writeLaunchFiles(ContainerPlan plan, String key) {
        Path folder = paths.folder(plan.slot());
        try {
            Files.createDirectories(folder);
            Files.setPosixFilePermissions(paths.runtime(), PosixFilePermissions.fromString("rwx--x--x"));
            Path keyFile = paths.key(plan.slot());
            files.delete(keyFile);
            files.write(keyFile, (key + "\n").getBytes(StandardCharsets.UTF_8), DurableFiles.PRIVATE);
            Files.setOwner(
                    keyFile,
                    keyFile.getFileSystem().getUserPrincipalLookupService().lookupPrincipalByName(policy.user()));
        } catch (IOException failure) {
            throw new Hal0Exception(
                    ErrorCode.SYSTEM_STORAGE, "Could not write below " + folder + ": " + failure, failure);
        }
        files.write(
                paths.labels(plan.slot()),
                ("hal0.launch=" + plan.launch() + "\n").getBytes(StandardCharsets.UTF_8),
                DurableFiles.SHARED);
        files.delete(paths.stopSettings(plan.slot()));
    }

    private void writeUnit(SlotName slot, String text) {
        Path unit = paths.unitFile(slot);
        boolean changed = !files.read(unit).equals(Optional.of(text));
        if (changed) {
            files.write(unit, text);
        }
        if (changed || observer.needsReload(slot)) {
            tools.systemctl(QUICK, "daemon-reload").requireSuccess("Telling systemd about " + unit);
        }
    }

    @Override
    public ContainerStatus status(SlotName slot) {
        return observer.status(slot);
    }

    @Override
    public List<Difference> differences(ContainerPlan plan) {
        Checked checked = checked(plan);
        Optional<JsonNode> container = observer.inspect(plan.slot());
        if (container.isEmpty()) {
            return List.of();
        }
        var made = new ArrayList<String>();
        container.get().path("Config").path("CreateCommand").forEach(word -> made.add(word.asString("")));
        var differences = new ArrayList<>(new RunningCommand(made).comparedTo(new RunningCommand(checked.command())));
        String runs = container.get().path("Image").asString("");
        String there = image(plan.image()).orElse("");
        boolean named = differences.stream().anyMatch(difference -> difference.kind() == Difference.Kind.IMAGE);
        if (!named && !runs.equals(there)) {
            differences.add(new Difference(Difference.Kind.IMAGE, plan.image() + " = " + there, runs));
        }
        return differences;
    }

    @Override
    public void stop(SlotName slot, String invocation, Duration grace) {
        try (var lock = SlotLock.take(paths, slot)) {
            ContainerStatus now = observer.unit(slot);
            if (!now.invocation().equals(invocation) || now.activeState().equals("inactive")) {
                return;
            }
            end(slot, grace.compareTo(LONGEST_GRACE) > 0 ? LONGEST_GRACE : grace);
        }
    }

    /** From any state to none. The caller holds the lock. */
    private void end(SlotName slot, Duration grace) {
        String unit = SlotPaths.unit(slot);
        try {
            Files.createDirectories(paths.folder(slot));
        } catch (IOException failure) {
            throw new Hal0Exception(ErrorCode.SYSTEM_STORAGE, "Could not make " + paths.folder(slot), failure);
        }
        files.write(paths.stopSettings(slot), "HAL0_STOP_GRACE=" + Math.ceilDiv(grace.toMillis(), 1000L) + "\n");
        tools.systemctl(QUICK, "stop", "--no-block", "--", unit).requireSuccess("Asking systemd to stop " + unit);
        if (awaitInactive(slot, grace.plus(BEYOND_GRACE), false) || awaitInactive(slot, AFTER_KILL, true)) {
            return;
        }
        ContainerStatus now = observer.unit(slot);
        throw new Hal0Exception(
                        ErrorCode.SLOT_TERMINATE_TIMEOUT,
                        unit + " did not end, not even by SIGKILL: it probably waits inside a driver.")
                .withDetail("active_state", now.activeState())
                .withDetail("sub_state", now.subState())
                .withDetail("main_pid", now.mainPid());
    }

    /** @param kill everything in the unit's cgroup, again and again: a frozen podman may be started anew for cleaning up */
    private boolean awaitInactive(SlotName slot, Duration patience, boolean kill) {
        long end = System.nanoTime() + patience.toNanos();
        var never = new CountDownLatch(1);
        long pause = POLL_MILLIS;
        try {
            while (true) {
                String state = observer.unit(slot).activeState();
                if (state.equals("inactive") || state.equals("failed")) {
                    return true;
                }
                if (System.nanoTime() > end) {
                    return false;
                }
                if (kill) {
                    tools.systemctl(QUICK, "kill", "--signal=SIGKILL", "--", SlotPaths.unit(slot));
                    pause = 1_000;
                }
                if (never.await(pause, TimeUnit.MILLISECONDS)) {
                    return false;
                }
            }
        } catch (InterruptedException cancelled) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    @Override
    public void resetFailed(SlotName slot) {
        try (var lock = SlotLock.take(paths, slot)) {
            tools.systemctl(QUICK, "reset-failed", "--", SlotPaths.unit(slot))
                    .requireSuccess("Resetting " + SlotPaths.unit(slot));
        }
    }

    @Override
    public void unmask(SlotName slot) {
        try (var lock = SlotLock.take(paths, slot)) {
            tools.systemctl(QUICK, "unmask", "--", SlotPaths.unit(slot))
                    .requireSuccess("Unmasking " + SlotPaths.unit(slot));
        }
    }

    @Override
    public void remove(SlotName slot) {
        try (var lock = SlotLock.take(paths, slot)) {
            ContainerStatus now = observer.unit(slot);
            if (now.isLive() || now.isStarting()) {
                throw new Hal0Exception(
                        ErrorCode.SLOT_ILLEGAL_TRANSITION, SlotPaths.unit(slot) + " runs; stop it before.");
            }
            if (now.isRestarting()) {
                end(slot, Duration.ZERO);
            }
            if (!isMaskedOnDisk(slot) && Files.exists(paths.unitFile(slot))) {
                files.delete(paths.unitFile(slot));
                tools.systemctl(QUICK, "daemon-reload").requireSuccess("Telling systemd that a unit is gone");
                tools.systemctl(QUICK, "reset-failed", "--", SlotPaths.unit(slot));
            }
            files.delete(paths.key(slot));
            files.delete(paths.labels(slot));
            files.delete(paths.stopSettings(slot));
        }
    }

    @Override
    public Optional<String> image(String reference) {
        check.image(reference);
        CommandResult asked = tools.podman(tools.question(), "image", "inspect", "--format={{.Id}}", "--", reference);
        if (!asked.succeeded()) {
            if (asked.stderr().contains("image not known") || asked.stderr().contains("no such image")) {
                return Optional.empty();
            }
            asked.requireSuccess("Looking for image " + reference);
        }
        return Optional.of(asked.stdout().strip());
    }

    @Override
    public List<String> images() {
        return tools.podman(tools.question(), "images", "--noheading", "--format={{.Repository}}:{{.Tag}}")
                .requireSuccess("Listing images")
                .stdout()
                .lines()
                .map(String::strip)
                .filter(policy::allowsImage)
                .sorted()
                .toList();
    }

    @Override
    public void pull(String reference, Consumer<String> progress) {
        check.image(reference);
        imagePull.run(reference, progress);
    }
}
