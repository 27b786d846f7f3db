package dev.hal0.cli;

import java.util.Map;

/** What a command touches besides the server. */
record Surroundings(Console console, Interrupts interrupts, Map<String, String> environment, Deadlines deadlines) {
    static Surroundings ofThisProcess() {
        Map<String, String> environment = System.getenv();
        return new Surroundings(
                Console.ofThisProcess(environment), Interrupts.ofThisProcess(), environment, Deadlines.DEFAULT);
    }
}
