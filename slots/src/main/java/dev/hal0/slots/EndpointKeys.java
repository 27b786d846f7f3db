package dev.hal0.slots;

import dev.hal0.kernel.DurableFiles;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The key of each launch. It lives in the launch's key file, which the engine reads and which the next control plane reads
 * too; nowhere else.
 */
final class EndpointKeys {
    private final DurableFiles files;
    private final Map<String, String> byNonce = new ConcurrentHashMap<>();

    EndpointKeys(DurableFiles files) {
        this.files = files;
    }

    String create(Launch launch) {
        String key = EffectRunner.randomToken();
        byNonce.put(launch.nonce(), key);
        return key;
    }

    Endpoint endpoint(Launch launch) {
        LaunchPlan plan = launch.plan();
        String key = byNonce.computeIfAbsent(
                launch.nonce(), ignored -> files.read(plan.keyFile()).orElse("").strip());
        return new Endpoint(plan.host(), plan.port(), key);
    }
}
