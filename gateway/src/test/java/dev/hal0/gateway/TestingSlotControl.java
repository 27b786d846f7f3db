package dev.hal0.gateway;

import dev.hal0.kernel.SlotName;
import dev.hal0.slots.AdmissionQueue;
import dev.hal0.slots.CancelRule;
import dev.hal0.slots.Endpoint;
import dev.hal0.slots.Gate;
import dev.hal0.slots.Incarnation;
import dev.hal0.slots.RevokeCause;
import dev.hal0.slots.Route;
import dev.hal0.slots.RoutingSnapshot;
import dev.hal0.slots.SlotControl;
import dev.hal0.slots.SlotState;
import dev.hal0.slots.SlotType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Slots with real gates and queues and a scheduler that a test plays: loads finish at once unless they are held, a doubted
 * slot is not routed until it was loaded again.
 */
final class TestingSlotControl implements SlotControl {
    final class Slot {
        final SlotName name;
        final SlotType type;
        final Gate gate = new Gate();
        final AdmissionQueue queue = new AdmissionQueue(gate);
        private Optional<String> model = Optional.of("model-" + lives);
        private boolean enabled = true;
        private boolean isDefault;
        private int permits = 4;
        private int port;
        private boolean includesUsage;
        private CancelRule rule = CancelRule.ON_DISCONNECT;
        private SlotState state = SlotState.OFFLINE;
        private @Nullable Incarnation incarnation;
        private @Nullable CompletableFuture<Void> loading;
        private final List<Consumer<String>> listeners = new CopyOnWriteArrayList<>();

        private Slot(String name, SlotType type) {
            this.name = new SlotName(name);
            this.type = type;
        }

        Slot model(@Nullable String id) {
            return change(() -> model = Optional.ofNullable(id));
        }

        Slot enabled(boolean value) {
            return change(() -> enabled = value);
        }

        Slot byDefault() {
            return change(() -> isDefault = true);
        }

        Slot permits(int value) {
            return change(() -> permits = value);
        }

        Slot on(FakeEngineServer engine) {
            return change(() -> port = engine.port());
        }

        /** Its engine says what it used only when it is asked. */
        Slot includesUsage() {
            return change(() -> includesUsage = true);
        }

        Slot cancels(CancelRule value) {
            return change(() -> rule = value);
        }

        /** Begins a life, or opens the gate of a doubted one again. */
        Slot ready() {
            return change(() -> {
                if (incarnation == null) {
                    incarnation = new Incarnation("life-" + ++lives);
                    gate.prepare(incarnation);
                }
                state = SlotState.READY;
                gate.open(incarnation, permits);
            });
        }

        /** The gate lets nobody in while the slot is still shown as ready, as during a drain. */
        Slot closeGateOnly() {
            return change(() -> gate.suspend(Objects.requireNonNull(incarnation)));
        }

        Slot openGate() {
            return change(() -> gate.open(Objects.requireNonNull(incarnation), permits));
        }

        Slot error() {
            return change(() -> state = SlotState.ERROR);
        }

        /** Takes the workload away; blocks until everyone inside has left. */
        void revoke(RevokeCause cause) throws InterruptedException {
            if (!revokeIfReady(cause)) {
                throw new AssertionError(name + " is not ready");
            }
        }

        /** @return false if there was nothing to take away, or it is doubted just now */
        boolean revokeIfReady(RevokeCause cause) throws InterruptedException {
            Incarnation life;
            synchronized (TestingSlotControl.this) {
                life = incarnation;
                if (life == null || state != SlotState.READY) {
                    return false;
                }
                state = SlotState.UNLOADING;
                publish();
            }
            var unused = gate.revoke(life, cause).orElseThrow();
            change(() -> {
                incarnation = null;
                state = SlotState.OFFLINE;
            });
            return true;
        }

        void progress(String message) {
            listeners.forEach(listener -> listener.accept(message));
        }

        /** Ends a load that {@link #holdLoads} kept. */
        void loaded() {
            CompletableFuture<Void> done = finish();
            ready();
            done.complete(null);
        }

        void loadFailed(RuntimeException why) {
            finish().completeExceptionally(why);
        }

        /** A load during an unload begins when that is done. */
        private void awaitStopped() {
            synchronized (TestingSlotControl.this) {
                while (state == SlotState.UNLOADING) {
                    try {
                        TestingSlotControl.this.wait();
                    } catch (InterruptedException ended) {
                        Thread.currentThread().interrupt();
                        return;
                    }
                }
            }
        }

        private CompletableFuture<Void> finish() {
            synchronized (TestingSlotControl.this) {
                CompletableFuture<Void> done = Objects.requireNonNull(loading);
                loading = null;
                return done;
            }
        }

        boolean isLoading() {
            synchronized (TestingSlotControl.this) {
                return loading != null;
            }
        }

        private Slot change(Runnable what) {
            synchronized (TestingSlotControl.this) {
                what.run();
                publish();
                TestingSlotControl.this.notifyAll();
                return this;
            }
        }

        private Route route() {
            Optional<Route.Target> target = state == SlotState.READY && incarnation != null && enabled
                    ? Optional.of(new Route.Target(
                            incarnation,
                            new Endpoint("127.0.0.1", port, FakeEngineServer.KEY),
                            new TestingEngine(rule, includesUsage)))
                    : Optional.empty();
            return new Route(name, type, enabled, isDefault, model, 4096, state, queue, target);
        }
    }

    final List<String> doubts = new CopyOnWriteArrayList<>();
    private final Map<String, Slot> slots = new TreeMap<>();
    private volatile RoutingSnapshot routes = RoutingSnapshot.EMPTY;
    private int lives;
    private int loads;
    private boolean holdLoads;
    private Runnable beforeLoad = () -> {};

    synchronized Slot add(String name, SlotType type) {
        var slot = new Slot(name, type);
        slots.put(name, slot);
        publish();
        return slot;
    }

    synchronized Slot slot(String name) {
        return Objects.requireNonNull(slots.get(name));
    }

    synchronized void remove(Slot slot) {
        slots.remove(slot.name.value());
        publish();
    }

    synchronized void holdLoads() {
        holdLoads = true;
    }

    synchronized void beforeLoad(Runnable what) {
        beforeLoad = what;
    }

    synchronized int loads() {
        return loads;
    }

    private void publish() {
        routes = new RoutingSnapshot(
                new ArrayList<>(slots.values()).stream().map(Slot::route).toList());
    }

    @Override
    public RoutingSnapshot routes() {
        return routes;
    }

    @Override
    public CompletionStage<Void> ensureReady(SlotName name, Consumer<String> progress) {
        Slot slot;
        CompletableFuture<Void> shared;
        boolean begins = false;
        synchronized (this) {
            slot = Objects.requireNonNull(slots.get(name.value()));
            if (slot.state == SlotState.READY) {
                return CompletableFuture.completedFuture(null);
            }
            if (slot.loading == null) {
                slot.loading = new CompletableFuture<>();
                loads++;
                begins = true;
            }
            shared = slot.loading;
            slot.listeners.add(progress);
        }
        if (begins && !holdLoads) {
            Thread.ofVirtual().name("load").start(() -> {
                beforeLoad.run();
                slot.awaitStopped();
                slot.loaded();
            });
        }
        return shared.copy().whenComplete((ready, failure) -> slot.listeners.remove(progress));
    }

    @Override
    public synchronized void doubt(SlotName name, Incarnation incarnation, String reason) {
        doubts.add(reason);
        Slot slot = Objects.requireNonNull(slots.get(name.value()));
        if (incarnation.equals(slot.incarnation)) {
            slot.gate.suspend(incarnation);
            slot.state = SlotState.WARMING;
            publish();
        }
    }
}
