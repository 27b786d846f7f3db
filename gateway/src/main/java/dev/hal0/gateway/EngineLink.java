package dev.hal0.gateway;

import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.internal.net.NetSocketInternal;
import org.jspecify.annotations.Nullable;

/**
 * One TCP connection to one engine. It carries one exchange at a time, and lies in {@link EngineLinks} between two.
 *
 * <p>Confined to the event loop on which it was opened, and so is everyone who uses it. Its callbacks run on that loop's own
 * context, not on that of a request.
 */
final class EngineLink implements ReplyParser.Reader {
    /** Far more than a round trip on loopback, far less than an engine needs to fail at a prompt. */
    private static final long STALE_SHOWS_WITHIN_NANOS = 100_000_000;

    /** The exchange under way. Called in this order: replied, received…, then one of completed or broke, and nothing after. */
    interface User {
        void replied(ReplyHead head);

        void received(Buffer bytes);

        /** The link has gone already: back to the others, or closed. */
        void completed();

        /** The link is closed. */
        void broke(Throwable cause);
    }

    private final NetSocketInternal socket;
    private final EngineLinks.Address address;
    private final EngineLinks links;
    private ReplyParser reply = new ReplyParser();
    private @Nullable User user;
    private @Nullable Throwable failure;
    private boolean open = true;
    private boolean kept;
    private boolean paused;
    private boolean written;
    private long sentAt;
    private long idleSince;

    EngineLink(NetSocketInternal socket, EngineLinks.Address address, EngineLinks links) {
        this.socket = socket;
        this.address = address;
        this.links = links;
        socket.handler(this::read);
        socket.exceptionHandler(cause -> failure = cause);
        // The end comes after the last byte, also to a reader that is paused; the close comes when it happens.
        socket.endHandler(ignored -> ended());
        socket.closeHandler(ignored -> {
            open = false;
            links.forget(this);
        });
    }

    EngineLinks.Address address() {
        return address;
    }

    /** By the clock of {@link EngineLinks}; of a link that lies. */
    long idleSince() {
        return idleSince;
    }

    /** From now on an engine may close it at any time, also in the instant in which it is used again. */
    void lie(long now) {
        kept = true;
        idleSince = now;
    }

    /** Sends a request; from here on the user hears of its reply. */
    void carry(EngineRequest request, User sender) {
        user = sender;
        reply = new ReplyParser();
        written = false;
        sentAt = System.nanoTime();
        Future<Void> sent = socket.write(request.head());
        if (!request.rest().isEmpty()) {
            sent = BodyUpload.send(links.vertx(), socket, request.rest(), () -> user == sender);
        }
        sent.onComplete(outcome -> {
            if (outcome.succeeded()) {
                written = true;
            } else if (user == sender) {
                lost(outcome.cause());
            }
        });
    }

    /**
     * Whether the engine cannot have begun with the request: it has only a part of it, or had closed this kept connection
     * before the request came, which shows at once or not at all. One byte of a reply proves the contrary.
     */
    boolean isUntouched() {
        boolean stale = kept && System.nanoTime() - sentAt < STALE_SHOWS_WITHIN_NANOS;
        return !reply.hasBegun() && (!written || stale);
    }

    /** Whether it carried a request before this one. */
    boolean isKept() {
        return kept;
    }

    /** Hands over no more bytes, and soon takes none from the engine. */
    void pause() {
        if (!paused) {
            paused = true;
            socket.pause();
        }
    }

    void resume() {
        if (paused) {
            paused = false;
            socket.resume();
        }
    }

    /** At once, whatever waits to be written; the user hears nothing any more. */
    void close() {
        user = null;
        if (open) {
            open = false;
            // NetSocket.close would first wait until an engine that hangs has read all of its request.
            var unused = socket.channelHandlerContext().close();
        }
    }

    private void read(Buffer bytes) {
        if (user == null) {
            // An engine that speaks without being asked is not understood.
            close();
            return;
        }
        try {
            reply.read(bytes, this);
        } catch (MalformedReplyException cause) {
            lost(cause);
        }
    }

    private void ended() {
        Throwable cause = failure;
        if (user == null) {
            return;
        }
        if (cause != null) {
            lost(cause);
            return;
        }
        try {
            reply.closed(this);
        } catch (MalformedReplyException cut) {
            lost(cut);
        }
    }

    private void lost(Throwable cause) {
        User told = user;
        close();
        if (told != null) {
            told.broke(cause);
        }
    }

    @Override
    public void head(ReplyHead head) {
        User told = user;
        if (told != null) {
            told.replied(head);
        }
    }

    @Override
    public void body(Buffer bytes) {
        User told = user;
        if (told != null) {
            told.received(bytes);
        }
    }

    @Override
    public void end() {
        User told = user;
        if (told == null) {
            return;
        }
        user = null;
        // A reply that came before its request was sent whole leaves the rest of the request on the line.
        if (open && written && !reply.isLastOfItsConnection()) {
            resume();
            links.keep(this);
        } else {
            close();
        }
        told.completed();
    }
}
