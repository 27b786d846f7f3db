package dev.hal0.server;

import dev.hal0.gateway.Accounting;
import dev.hal0.kernel.SlotName;
import dev.hal0.slots.CauseCode;
import dev.hal0.slots.Incarnation;
import dev.hal0.slots.Operation;
import dev.hal0.slots.OperationLog;
import dev.hal0.slots.RevokeCause;
import dev.hal0.slots.SlotEdge;
import dev.hal0.slots.SlotState;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** History as log lines, until there is a journal. */
final class LoggedHistory implements OperationLog, Accounting {
    private static final Logger log = LoggerFactory.getLogger("history");

    @Override
    public void transition(
            SlotName slot, SlotState from, SlotEdge edge, SlotState to, CauseCode cause, String message) {
        log.info(
                "slot {}: {} -> {} ({}, {}){}",
                slot,
                from.label(),
                to.label(),
                edge.label(),
                cause.label(),
                message.isEmpty() ? "" : ": " + message);
    }

    @Override
    public void revoked(SlotName slot, Incarnation incarnation, RevokeCause cause, int cut) {
        log.warn("slot {}: {} ended {} requests that were inside {}", slot, cause.label(), cut, incarnation);
    }

    @Override
    public void operation(Operation operation) {
        log.debug("{} {} of {}: {}", operation.id(), operation.kind(), operation.slot(), operation.status());
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
    }
}
