package dev.hal0.runtime.install;

/** Every mirror answered, and none has a pinned file any more. Checked, because it decides what is installed. */
final class PinGoneException extends Exception {
    private static final long serialVersionUID = 1L;

    /** @param message whole sentences: which file, and what each mirror said */
    PinGoneException(String message) {
        super(message);
    }
}
