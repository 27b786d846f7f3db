package dev.hal0.slots;

import dev.hal0.kernel.DurableFiles;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.SlotName;
import dev.hal0.kernel.SteadyClock;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * When each slot was last used: derived from its gate, and from {@code last-used} beside its state for the time before this
 * control plane. Requests never write; {@link #flush} does, for slots that were used since. Thread-safe.
 */
final class LastUse {
    private static final Logger log = LoggerFactory.getLogger(LastUse.class);
    /** What two looks at the same moment may differ by, because one clock is subtracted from another. */
    private static final Duration JITTER = Duration.ofSeconds(1);

    private final Path statesRoot;
    private final DurableFiles files;
    private final SlotWorkloads workloads;
    private final SteadyClock clock;
    private final ConcurrentMap<SlotName, Optional<Instant>> written = new ConcurrentHashMap<>();

    LastUse(Path statesRoot, DurableFiles files, SlotWorkloads workloads, SteadyClock clock) {
        this.statesRoot = statesRoot;
        this.files = files;
        this.workloads = workloads;
        this.clock = clock;
    }

    /** By the clock of decisions; empty if it never was. */
    Optional<Instant> of(SlotName slot) {
        Gate gate = workloads.gate(slot);
        return gate.wasUsed() ? Optional.of(clock.instant().minus(gate.quietFor())) : beforeThisStart(slot);
    }

    synchronized void flush() {
        workloads.slots().forEach(slot -> {
            if (!workloads.gate(slot).wasUsed()) {
                return;
            }
            Instant now = of(slot).orElseThrow();
            if (beforeThisStart(slot)
                    .filter(before -> before.plus(JITTER).isAfter(now))
                    .isPresent()) {
                return;
            }
            try {
                files.write(file(slot), now + "\n");
                written.put(slot, Optional.of(now));
            } catch (Hal0Exception storage) {
                log.warn("slot {}: its last use could not be written: {}", slot, storage.message());
            }
        });
    }

    private Optional<Instant> beforeThisStart(SlotName slot) {
        return written.computeIfAbsent(slot, this::read);
    }

    private Optional<Instant> read(SlotName slot) {
        try {
            return files.read(file(slot)).map(text -> clock.past(Instant.parse(text.strip())));
        } catch (DateTimeParseException | Hal0Exception unreadable) {
            log.warn("slot {}: its last use cannot be read: {}", slot, unreadable.getMessage());
            return Optional.empty();
        }
    }

    void forget(SlotName slot) {
        written.remove(slot);
        files.delete(file(slot));
    }

    private Path file(SlotName slot) {
        return statesRoot.resolve(slot.value()).resolve("last-used");
    }
}
