package dev.hal0.server;

import dev.hal0.gateway.Accounting;
import dev.hal0.gateway.EngineFigures;
import dev.hal0.journal.EventRow;
import dev.hal0.journal.Journal;
import dev.hal0.journal.OperationRow;
import dev.hal0.journal.Outcome;
import dev.hal0.journal.RequestRow;
import dev.hal0.journal.TransitionRow;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.SlotName;
import dev.hal0.slots.CauseCode;
import dev.hal0.slots.Incarnation;
import dev.hal0.slots.Lane;
import dev.hal0.slots.Operation;
import dev.hal0.slots.OperationLog;
import dev.hal0.slots.RevokeCause;
import dev.hal0.slots.SlotEdge;
import dev.hal0.slots.SlotState;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What slots and gateway report goes into the journal and the metrics; what a person at the console should see is logged as well. */
final class History implements OperationLog, Accounting {
    private static final Logger log = LoggerFactory.getLogger("history");

    private final Journal journal;
    private final Metrics metrics;
    private final InstantSource clock;

    History(Journal journal, Metrics metrics, InstantSource clock) {
        this.journal = journal;
        this.metrics = metrics;
        this.clock = clock;
    }

    @Override
    public void transition(
            SlotName slot,
            SlotState from,
            SlotEdge edge,
            SlotState to,
            CauseCode cause,
            String message,
            Optional<Incarnation> incarnation) {
        log.info(
                "slot {}: {} -> {} ({}, {}){}",
                slot,
                from.label(),
                to.label(),
                edge.label(),
                cause.label(),
                message.isEmpty() ? "" : ": " + message);
        metrics.transition(slot, edge, cause);
        journal.record(new TransitionRow(
                slot.value(),
                from.label(),
                to.label(),
                cause.label(),
                incarnation.map(Incarnation::value).orElse(null),
                clock.instant(),
                null,
                message));
    }

    /** What an earlier control plane had under way ended with it: without this row its history would seem to go on. */
    void started(String version) {
        journal.record(event("system.started", "hal0", Map.of("version", version)));
    }

    @Override
    public void reserved(
            SlotName slot, CauseCode cause, Lane lane, String pool, OptionalLong bytes, OptionalLong budgetBytes) {
        var payload = new LinkedHashMap<String, Object>();
        payload.put("cause", cause.label());
        payload.put("lane", lane.label());
        payload.put("pool", pool);
        bytes.ifPresent(known -> payload.put("bytes", known));
        budgetBytes.ifPresent(known -> payload.put("budget_bytes", known));
        journal.record(event("slot.reserved", slot.value(), payload));
    }

    private EventRow event(String kind, String subject, Map<String, Object> payload) {
        return new EventRow(UUID.randomUUID().toString(), clock.instant(), kind, subject, payload);
    }

    @Override
    public void revoked(SlotName slot, Incarnation incarnation, RevokeCause cause, int cut) {
        log.warn("slot {}: {} ended {} requests that were inside {}", slot, cause.label(), cut, incarnation);
        metrics.revoked(slot, cause, cut);
        journal.recordAtOnce(event(
                "slot.revoked",
                slot.value(),
                Map.of("incarnation", incarnation.value(), "cause", cause.label(), "cut", cut)));
    }

    @Override
    public void operation(Operation operation) {
        log.debug("{} {} of {}: {}", operation.id(), operation.kind(), operation.slot(), operation.status());
        metrics.operation(operation);
        var error = operation.error();
        journal.record(new OperationRow(
                operation.id().toString(),
                operation.slot().value(),
                operation.kind().label(),
                "operator",
                operation.status().label(),
                operation.startedAt(),
                operation.endedAt(),
                error == null ? null : error.code(),
                operation.message(),
                error == null ? null : error.details()));
    }

    @Override
    public void ended(Ended exchange) {
        if (exchange.errorCode().isPresent()) {
            log.info(
                    "request {} to {} on slot {}: {} {} after {} ms",
                    exchange.requestId(),
                    exchange.route(),
                    exchange.slot().map(SlotName::value).orElse("none"),
                    exchange.status(),
                    exchange.errorCode().get(),
                    exchange.total().toMillis());
        }
        Outcome outcome = outcome(exchange.errorCode());
        metrics.ended(exchange, outcome);
        EngineFigures figures = exchange.figures();
        journal.record(new RequestRow(
                exchange.requestId(),
                clock.instant().minus(exchange.total()),
                exchange.route(),
                exchange.requestedModel().orElse(null),
                exchange.slot().map(SlotName::value).orElse(null),
                exchange.model().orElse(null),
                null,
                exchange.caller(),
                exchange.status(),
                exchange.errorCode().orElse(null),
                exchange.streamed(),
                new RequestRow.Tokens(figures.promptTokens(), figures.completionTokens(), figures.cachedTokens()),
                new RequestRow.Timings(
                        exchange.queued().toMillis(),
                        exchange.loading().toMillis(),
                        rounded(figures.prefillMillis()),
                        exchange.firstContent()
                                .map(java.time.Duration::toMillis)
                                .orElse(null),
                        rounded(figures.decodeMillis()),
                        exchange.total().toMillis()),
                exchange.bytesIn(),
                exchange.bytes(),
                exchange.priority().label(),
                outcome));
    }

    private static @Nullable Long rounded(@Nullable Double millis) {
        return millis == null ? null : (Long) Math.round(millis);
    }

    private static Outcome outcome(Optional<String> errorCode) {
        if (errorCode.isEmpty()) {
            return Outcome.COMPLETE;
        }
        if (errorCode.get().equals(CLIENT_CLOSED)) {
            return Outcome.CLIENT_GONE;
        }
        return switch (ErrorCode.of(errorCode.get()).orElse(ErrorCode.SYSTEM_INTERNAL)) {
            case SLOT_REVOKED -> Outcome.REVOKED;
            case DISPATCH_CANCELLED -> Outcome.CANCELLED;
            case DISPATCH_STREAM_LIMIT -> Outcome.TIME_LIMIT;
            case DISPATCH_UPSTREAM_UNAVAILABLE -> Outcome.ENGINE_LOST;
            case DISPATCH_UPSTREAM_FAILED, SYSTEM_INTERNAL -> Outcome.FAILED;
            default -> Outcome.REFUSED;
        };
    }
}
