package dev.hal0.models;

/**
 * What one layer remembers of the tokens before.
 *
 * @param keyWidth numbers per token kept as keys, over all its heads; 0 where it keeps none
 * @param valueWidth likewise for values
 * @param window tokens it looks back; 0 where that is the whole context
 * @param stateNumbers 32-bit numbers per request, however long it is: the state of a recurrent layer
 */
public record LayerCache(long keyWidth, long valueWidth, int window, long stateNumbers) {
    static final LayerCache NONE = new LayerCache(0, 0, 0, 0);

    boolean attends() {
        return keyWidth > 0;
    }

    boolean windowed() {
        return attends() && window > 0;
    }
}
