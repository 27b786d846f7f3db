package dev.hal0.hardware.proxmox;

import dev.hal0.hardware.proxmox.ProxmoxSummary.Failed;
import dev.hal0.hardware.proxmox.ProxmoxSummary.NotConfigured;
import dev.hal0.hardware.proxmox.ProxmoxSummary.Reason;
import dev.hal0.kernel.Hal0Exception;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The Proxmox host as everyone here sees it: one answer, good or bad, serves all callers for 30 seconds, and callers who
 * come while it is being fetched wait for it instead of asking again. Other settings, saved here or edited by hand, never
 * get the answer of the old ones. Thread-safe.
 */
public final class ProxmoxWatch {
    private static final Duration FRESH = Duration.ofSeconds(30);
    private static final Logger log = LoggerFactory.getLogger(ProxmoxWatch.class);

    private final ProxmoxSettingsFile file;
    private final ProxmoxClient client;
    private final OwnGuest self;
    private final ProxmoxDetection detection;
    private final InstantSource clock;
    private final Listener listener;
    private final ReentrantLock lock = new ReentrantLock();
    private @Nullable Fetch latest;
    private boolean reachable = true;

    /**
     * Told once per change between readable and not. The first failure is a change, the first success is not. Called by one
     * thread at a time, in order; must be quick and must not wait for this watch.
     */
    public interface Listener {
        /** {@code error} is free of the token. */
        void unreachable(String error);

        void recovered();
    }

    private static final class Fetch {
        final ProxmoxSettings settings;
        final CompletableFuture<ProxmoxSummary> result = new CompletableFuture<>();

        @Nullable
        Instant finished;

        Fetch(ProxmoxSettings settings) {
            this.settings = settings;
        }

        boolean serves(ProxmoxSettings wanted, Instant now) {
            if (!settings.equals(wanted)) {
                return false;
            }
            // A clock set back makes the age negative, which must not keep an answer for longer.
            return finished == null
                    || (!now.isBefore(finished)
                            && Duration.between(finished, now).compareTo(FRESH) < 0);
        }
    }

    public ProxmoxWatch(
            ProxmoxSettingsFile file,
            ProxmoxClient client,
            OwnGuest self,
            ProxmoxDetection detection,
            InstantSource clock,
            Listener listener) {
        this.file = file;
        this.client = client;
        this.self = self;
        this.detection = detection;
        this.clock = clock;
        this.listener = listener;
    }

    /** As {@link #summaryAsync()}, waiting for the client's deadline at most. Never throws. */
    public ProxmoxSummary summary() {
        return summaryAsync().join();
    }

    /**
     * The cached summary or a fresh one. The future is the caller's own and never completes exceptionally. A broken settings
     * file is a {@link Failed} that is no event.
     */
    public CompletableFuture<ProxmoxSummary> summaryAsync() {
        Optional<ProxmoxSettings> settings;
        try {
            settings = file.load();
        } catch (Hal0Exception broken) {
            return CompletableFuture.completedFuture(new Failed(Reason.SETTINGS, broken.message()));
        }
        return settings.map(this::summaryOf)
                .orElseGet(() -> CompletableFuture.completedFuture(new NotConfigured(detection)));
    }

    /**
     * What is stored, or empty.
     *
     * @throws Hal0Exception as {@link ProxmoxSettingsFile#load()}
     */
    public Optional<ProxmoxSettings> settings() {
        return file.load();
    }

    /**
     * Stores and drops the cached answer.
     *
     * @throws Hal0Exception as {@link ProxmoxSettingsFile#update}
     */
    public ProxmoxSettings save(ProxmoxUpdate update) {
        ProxmoxSettings saved = file.update(update);
        lock.lock();
        try {
            latest = null;
        } finally {
            lock.unlock();
        }
        return saved;
    }

    /** Removes the settings. What comes after is a new story: no recovery is told of. */
    public void remove() {
        file.remove();
        lock.lock();
        try {
            latest = null;
            reachable = true;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Tries settings without storing them, past the cache and without an event. The fingerprint in the answer is the one to
     * store for pinning.
     *
     * @throws Hal0Exception {@code proxmox.config_invalid} also when the stored token would have to go to another host, port,
     *     user or token name
     */
    public ProxmoxProbe test(ProxmoxUpdate candidate) {
        return client.probe(file.candidate(candidate), self);
    }

    private CompletableFuture<ProxmoxSummary> summaryOf(ProxmoxSettings settings) {
        Fetch mine;
        lock.lock();
        try {
            if (latest != null && latest.serves(settings, clock.instant())) {
                return latest.result.copy();
            }
            mine = new Fetch(settings);
            latest = mine;
        } finally {
            lock.unlock();
        }
        Thread.ofVirtual().name("proxmox-fetch").start(() -> run(mine));
        return mine.result.copy();
    }

    private void run(Fetch fetch) {
        ProxmoxSummary summary = new Failed(Reason.UNREACHABLE, "The Proxmox host could not be asked.");
        try {
            summary = client.probe(fetch.settings, self).summary();
        } finally {
            finish(fetch, summary);
            fetch.result.complete(summary);
        }
    }

    private void finish(Fetch fetch, ProxmoxSummary summary) {
        lock.lock();
        try {
            fetch.finished = clock.instant();
            // An answer to settings that are no longer in force says nothing about those that are.
            if (latest == fetch) {
                announce(summary);
            }
        } catch (RuntimeException failure) {
            log.warn("A listener of the Proxmox watch failed", failure);
        } finally {
            lock.unlock();
        }
    }

    private void announce(ProxmoxSummary summary) {
        boolean failed = summary instanceof Failed;
        if (failed != reachable) {
            return;
        }
        reachable = !failed;
        if (summary instanceof Failed(Reason ignored, String error)) {
            listener.unreachable(error);
        } else {
            listener.recovered();
        }
    }
}
