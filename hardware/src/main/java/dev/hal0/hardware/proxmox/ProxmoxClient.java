package dev.hal0.hardware.proxmox;

import dev.hal0.hardware.proxmox.ProxmoxSummary.Failed;
import dev.hal0.hardware.proxmox.ProxmoxSummary.Reason;
import dev.hal0.kernel.Json;
import java.net.ConnectException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.channels.UnresolvedAddressException;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;

/**
 * The one call to the Proxmox API, {@code GET /api2/json/cluster/resources}. Name look-up, connection, handshake and answer
 * together get three seconds, the answer 4 MiB. No redirect and no proxy is used, either would carry the token elsewhere.
 * Each call has a connection of its own. Thread-safe.
 */
public final class ProxmoxClient {
    private static final Duration DEADLINE = Duration.ofSeconds(3);
    private static final int BODY_LIMIT = 4 << 20;
    private static final int OK = 200;
    private static final int LONGEST_QUOTE = 200;

    private final Duration deadline;
    private final int bodyLimit;
    private final @Nullable KeyStore anchors;

    public ProxmoxClient() {
        this(DEADLINE, BODY_LIMIT, null);
    }

    /** @param anchors whom to trust when verifying; null for the JDK's own list */
    ProxmoxClient(Duration deadline, int bodyLimit, @Nullable KeyStore anchors) {
        this.deadline = deadline;
        this.bodyLimit = bodyLimit;
        this.anchors = anchors;
    }

    /**
     * Asks once, blocking for the deadline at most. Every failure is a {@link Failed}, whose text is free of the token. An
     * interrupt ends the wait and stays set.
     */
    public ProxmoxProbe probe(ProxmoxSettings settings, OwnGuest self) {
        try {
            ProxmoxTrust trust = ProxmoxTrust.of(settings, anchors);
            ProxmoxSummary summary = exchange(settings, self, trust);
            return new ProxmoxProbe(summary, trust.seen());
        } catch (GeneralSecurityException | RuntimeException failure) {
            // Only the kind: a refused header value, for one, is quoted in full by the JDK.
            var failed = new Failed(
                    Reason.UNREACHABLE,
                    "The Proxmox host could not be asked: " + failure.getClass().getSimpleName() + ".");
            return new ProxmoxProbe(failed, null);
        }
    }

    private ProxmoxSummary exchange(ProxmoxSettings settings, OwnGuest self, ProxmoxTrust trust)
            throws GeneralSecurityException {
        HttpRequest request = HttpRequest.newBuilder(settings.resources())
                .header("Authorization", settings.authorization())
                .header("Accept", "application/json")
                .build();
        HttpClient http = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NEVER)
                .proxy(HttpClient.Builder.NO_PROXY)
                .connectTimeout(deadline)
                .sslContext(trust.context())
                .executor(Thread::startVirtualThread)
                .build();
        CompletableFuture<HttpResponse<byte[]>> pending = null;
        try {
            // The request's own timeout ends with the headers; this way the body is inside the deadline too.
            pending = http.sendAsync(request, head -> new BoundedBody(head.statusCode() == OK ? bodyLimit : 0));
            return answered(settings, self, pending.get(deadline.toNanos(), TimeUnit.NANOSECONDS));
        } catch (TimeoutException late) {
            return timedOut(settings);
        } catch (ExecutionException failed) {
            return broken(settings, trust, failed.getCause() == null ? failed : failed.getCause());
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            return new Failed(Reason.UNREACHABLE, "Asking " + address(settings) + " was interrupted.");
        } finally {
            if (pending != null) {
                pending.cancel(true);
            }
            http.shutdownNow();
        }
    }

    private static ProxmoxSummary answered(ProxmoxSettings settings, OwnGuest self, HttpResponse<byte[]> response) {
        int status = response.statusCode();
        return switch (status) {
            case OK -> parsed(self, response.body());
            case 401, 403 ->
                new Failed(
                        Reason.TOKEN_REFUSED,
                        "Proxmox refused the token (HTTP " + status + "): check user, realm, token name and value.");
            case 301, 302, 303, 307, 308 ->
                new Failed(
                        Reason.REDIRECTED,
                        address(settings) + " answered with a redirect (HTTP " + status
                                + "), which is not followed because it would carry the token elsewhere.");
            default -> new Failed(Reason.BAD_ANSWER, address(settings) + " answered HTTP " + status + ".");
        };
    }

    private static ProxmoxSummary parsed(OwnGuest self, byte[] body) {
        try {
            return ProxmoxResources.summary(Json.LENIENT.readTree(body), self);
        } catch (JacksonException malformed) {
            return new Failed(Reason.BAD_ANSWER, "The answer is not JSON.");
        }
    }

    private ProxmoxSummary broken(ProxmoxSettings settings, ProxmoxTrust trust, Throwable failure) {
        String where = address(settings);
        String pin = trust.mismatched();
        if (pin != null) {
            return new Failed(
                    Reason.CERTIFICATE,
                    where + " shows the certificate " + trust.seen() + " instead of the pinned " + pin
                            + ". The token was not sent.");
        }
        return switch (failure) {
            case BoundedBody.TooLarge ignored ->
                new Failed(Reason.TOO_LARGE, where + " answered with more than " + bodyLimit + " bytes.");
            case HttpTimeoutException ignored -> timedOut(settings);
            case SSLException untrusted ->
                new Failed(
                        Reason.CERTIFICATE,
                        "No trusted connection to " + where + ": " + quote(settings, untrusted) + ".");
            case ConnectException refused
            when refused.getCause() instanceof UnresolvedAddressException ->
                new Failed(Reason.UNREACHABLE, "The host name " + settings.host() + " is not known.");
            case ConnectException ignored -> new Failed(Reason.UNREACHABLE, where + " accepts no connection.");
            default ->
                new Failed(
                        Reason.UNREACHABLE,
                        "The connection to " + where + " broke off: " + quote(settings, failure) + ".");
        };
    }

    private ProxmoxSummary timedOut(ProxmoxSettings settings) {
        return new Failed(Reason.TIMEOUT, address(settings) + " did not answer within " + deadline.toMillis() + " ms.");
    }

    /** The peer has a hand in such texts: bounded, on one line, without the token. */
    private static String quote(ProxmoxSettings settings, Throwable failure) {
        String message = failure.getMessage() == null ? "" : failure.getMessage();
        String text = settings.scrub(failure.getClass().getSimpleName() + (message.isEmpty() ? "" : ": " + message))
                .replaceAll("\\p{Cntrl}+", " ")
                .strip();
        return text.length() > LONGEST_QUOTE ? text.substring(0, LONGEST_QUOTE) + "…" : text;
    }

    private static String address(ProxmoxSettings settings) {
        return ProxmoxFields.inUri(settings.host()) + ":" + settings.port();
    }
}
