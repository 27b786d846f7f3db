package dev.hal0.runtime.process;

import java.nio.file.Path;
import java.util.Map;

/** A control plane that launches one engine and then waits to be killed. Arguments: home, nonce, script. */
final class AdoptionHelper {
    private AdoptionHelper() {}

    public static void main(String[] arguments) throws java.io.IOException {
        Path home = Path.of(arguments[0]);
        var workload = Scripted.shell(arguments[2])
                .runtime(home, System.getenv())
                .launch(Scripted.plan(home, Scripted.freePort(), Map.of()), arguments[1], "key");
        System.out.println(workload.incarnation());
        System.out.flush();
        int unused = System.in.read();
    }
}
