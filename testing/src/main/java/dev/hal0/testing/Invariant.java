package dev.hal0.testing;

/** What must hold in every history, in the words of a person. */
public enum Invariant {
    NOBODY_CUT("No workload is stopped with someone inside, except after a recorded revoke of an allowed cause."),
    MEMORY_PROMISED_ONCE("No memory is promised twice: what is let in fits beside all that is there or was promised."),
    NO_WAITER_LOST("Nobody who waits is forgotten, answered twice or kept beyond the time that was set."),
    TRANSITIONS_OWNED("A slot on its way from one state to another has an owner, and arrives in bounded time."),
    LEGAL_EDGES("A slot changes its state along named edges only, each from where the last one ended."),
    GPU_EXCLUSIVE("Image generation and language models are never on the GPU together."),
    ONE_ANCHOR("The NPU has one workload at a time."),
    OPERATIONS_END_ONCE("Every operation that begins ends exactly once."),
    NO_LIFE_AFTER_STOP("No incarnation is entered, launched or stopped again after its end.");

    private final String sentence;

    Invariant(String sentence) {
        this.sentence = sentence;
    }

    public String sentence() {
        return sentence;
    }
}
