package dev.hal0.runtime.install;

/** What a mirror gave as its signed index is not that. The message goes on after the mirror's address. */
final class UntrustedIndexException extends Exception {
    private static final long serialVersionUID = 1L;

    UntrustedIndexException(String message) {
        super(message);
    }
}
