package dev.hal0.gateway;

/** What an engine sent is not an HTTP reply, or is larger than any that we read. */
final class MalformedReplyException extends Exception {
    MalformedReplyException(String message) {
        super(message);
    }
}
