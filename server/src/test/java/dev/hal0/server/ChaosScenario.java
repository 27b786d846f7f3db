package dev.hal0.server;

/** What the chaos tier does to a box, and what must be seen. {@code docs/chaos.md} is written from this. */
enum ChaosScenario {
    API_KILLED(
            "`kill -9` of the control plane during a stream",
            "the engine lives on; the next control plane adopts it and starts nothing"),
    ENGINE_KILLED_IN_LOAD(
            "the engine is killed while it loads",
            "the load fails with `slot.crashed` and the engine's last lines; a later request is answered by a new one"),
    OUT_OF_MEMORY("the engine is ended for want of memory (137) while it loads", "the load fails and says 137"),
    ENGINE_KILLED_IN_STREAM(
            "the engine is killed during a stream",
            "the stream ends with an error event and the done marker; the next request loads it again"),
    REAL_ENGINE_KILLED_IN_STREAM("the real llama-server is killed during a stream", "the same as with the fake one"),
    ENGINE_FROZEN(
            "SIGSTOP of the engine during a stream",
            "those inside hear of it, a new engine takes its place, and another slot's stream never notices"),
    DISK_FULL(
            "the disk is full when a slot's state must be written",
            "nothing is started without its record, what runs goes on, and with room again the slot loads"),
    CLOCK_JUMPS(
            "the clock jumps two hours forward and four back during a stream",
            "the stream ends by itself, the engine stays the same, and slots load as before"),
    HUNDRED_TO_ONE_COLD_SLOT("a hundred requests at once to a slot that is not loaded", "one load, a hundred answers"),
    THREE_SLOTS_IN_ROOM_FOR_TWO(
            "three slots under mixed traffic in memory for two",
            "slots take turns, every request is answered whole, and nobody is cut off");

    private final String done;
    private final String expected;

    ChaosScenario(String done, String expected) {
        this.done = done;
        this.expected = expected;
    }

    String done() {
        return done;
    }

    String expected() {
        return expected;
    }
}
