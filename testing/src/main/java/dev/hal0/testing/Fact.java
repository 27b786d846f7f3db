package dev.hal0.testing;

import java.time.Instant;

/**
 * One thing that happened to slots, workloads, requests or operations, whoever tells of it: a simulated world, or the journal
 * of a box. Slots, launches, incarnations, requests and operations go by their names as text, because this module knows no
 * other one. {@link InvariantChecker} reads a history of facts in the order in which they happened.
 */
public sealed interface Fact {
    Instant at();

    /** What a workload shares its device with. */
    enum Lane {
        SHARED,
        INFERENCE,
        IMAGE,
        NPU
    }

    /** Why so much memory counts as promised. */
    enum Basis {
        /** A load was let in because it fits. */
        ADMITTED,
        /** Somebody said that it need not fit. */
        FORCED,
        /** Less or more is held than was promised, or it runs already. */
        OBSERVED
    }

    // The box

    /** A control plane begins, the first one or the next. What an earlier one waited for went with it; workloads live on. */
    record ControlPlaneStarted(Instant at) implements Fact {}

    /** What a slot's workloads share their device with, from here on. */
    record Defined(Instant at, String slot, Lane lane) implements Fact {}

    /** How much may be promised in a pool of memory, from here on. */
    record Budget(Instant at, String pool, long bytes) implements Fact {}

    /** One decision is over: what must hold between two of them holds now. */
    record Settled(Instant at) implements Fact {}

    // Requests

    /** A request is inside a workload. */
    record Entered(Instant at, String request, String slot, String incarnation) implements Fact {}

    record Left(Instant at, String request) implements Fact {}

    /** Those inside were told that the workload is taken from them. */
    record Revoked(Instant at, String slot, String incarnation, String cause, int cut) implements Fact {}

    /**
     * Somebody waits for something that must come, or be refused.
     *
     * @param until the latest moment of an answer
     */
    record Queued(Instant at, String waiter, String slot, Instant until) implements Fact {}

    record Answered(Instant at, String waiter, String outcome) implements Fact {}

    // Workloads

    /** A workload of this launch may exist from here on. */
    record LaunchAsked(Instant at, String slot, String launch) implements Fact {}

    record Launched(Instant at, String slot, String launch, String incarnation) implements Fact {}

    /** Nothing came of the launch. */
    record LaunchFailed(Instant at, String slot, String launch) implements Fact {}

    record StopRequested(Instant at, String slot, String incarnation) implements Fact {}

    /** It is gone because it was stopped. */
    record Stopped(Instant at, String slot, String incarnation) implements Fact {}

    /** It is gone by itself, and that is known. */
    record Exited(Instant at, String slot, String incarnation) implements Fact {}

    // Slots

    /** States by their labels, such as {@code warming}. */
    record StateChanged(Instant at, String slot, String from, String to, String cause) implements Fact {}

    /** The slot was deleted; one of that name that is made later begins anew. */
    record Forgotten(Instant at, String slot) implements Fact {}

    /** Something is under way that will bring the slot out of its state: an operation, a task, a watch. */
    record OwnerTook(Instant at, String slot, String owner) implements Fact {}

    record OwnerLeft(Instant at, String slot, String owner) implements Fact {}

    /**
     * Replaces what was promised to the slot before.
     *
     * @param bytes 0 if nobody knows what it needs
     */
    record Reserved(Instant at, String slot, String pool, long bytes, Basis basis) implements Fact {}

    record Released(Instant at, String slot) implements Fact {}

    // Operations

    record OperationBegun(Instant at, String operation, String slot, String kind) implements Fact {}

    record OperationEnded(Instant at, String operation, String outcome) implements Fact {}
}
