package dev.hal0.helper.daemon;

import dev.hal0.helper.ContainerPlan;
import dev.hal0.kernel.DeviceClass;
import dev.hal0.kernel.SlotName;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A plan that root agrees to, and ways to spoil one field of it. */
record Plans(Path root) {
    static final SlotName SLOT = new SlotName("chat");
    static final String IMAGE = "localhost/hal0-toolbox:cpu";

    Policy policy() {
        return new Policy(
                System.getProperty("user.name"),
                List.of("localhost/hal0-toolbox", "ghcr.io/hal0/"),
                List.of("llama-server"),
                List.of(root.resolve("models")),
                Path.of("/var/lib/hal0"),
                List.of("none", "dri"),
                8081,
                8200,
                false,
                false);
    }

    ContainerPlan good() {
        return with(List.of("--port", "8081"), Map.of("A", "b"));
    }

    ContainerPlan with(List<String> arguments, Map<String, String> environment) {
        return new ContainerPlan(
                SLOT,
                "a".repeat(64),
                "0".repeat(64),
                "tiny",
                IMAGE,
                "llama-server",
                arguments,
                environment,
                8081,
                List.of(root.resolve("models/tiny.gguf").toString()),
                "/var/lib/hal0/slots/chat/engine.key",
                DeviceClass.NONE,
                true,
                false,
                64,
                1L << 30);
    }

    ContainerPlan onPort(int port) {
        ContainerPlan g = good();
        return new ContainerPlan(
                g.slot(),
                g.launch(),
                g.planHash(),
                g.modelId(),
                g.image(),
                g.program(),
                g.arguments(),
                g.environment(),
                port,
                g.files(),
                g.keyFile(),
                g.devices(),
                g.readOnlyRoot(),
                g.outbound(),
                g.pidsLimit(),
                g.memoryLimitBytes());
    }

    ContainerPlan launchedAs(String launch) {
        ContainerPlan g = good();
        return new ContainerPlan(
                g.slot(),
                launch,
                g.planHash(),
                g.modelId(),
                g.image(),
                g.program(),
                g.arguments(),
                g.environment(),
                g.port(),
                g.files(),
                g.keyFile(),
                g.devices(),
                g.readOnlyRoot(),
                g.outbound(),
                g.pidsLimit(),
                g.memoryLimitBytes());
    }

    ContainerPlan hashed(String hash) {
        ContainerPlan g = good();
        return new ContainerPlan(
                g.slot(),
                g.launch(),
                hash,
                g.modelId(),
                g.image(),
                g.program(),
                g.arguments(),
                g.environment(),
                g.port(),
                g.files(),
                g.keyFile(),
                g.devices(),
                g.readOnlyRoot(),
                g.outbound(),
                g.pidsLimit(),
                g.memoryLimitBytes());
    }

    ContainerPlan ofModel(String model) {
        ContainerPlan g = good();
        return new ContainerPlan(
                g.slot(),
                g.launch(),
                g.planHash(),
                model,
                g.image(),
                g.program(),
                g.arguments(),
                g.environment(),
                g.port(),
                g.files(),
                g.keyFile(),
                g.devices(),
                g.readOnlyRoot(),
                g.outbound(),
                g.pidsLimit(),
                g.memoryLimitBytes());
    }

    ContainerPlan from(String image, String program) {
        ContainerPlan g = good();
        return new ContainerPlan(
                g.slot(),
                g.launch(),
                g.planHash(),
                g.modelId(),
                image,
                program,
                g.arguments(),
                g.environment(),
                g.port(),
                g.files(),
                g.keyFile(),
                g.devices(),
                g.readOnlyRoot(),
                g.outbound(),
                g.pidsLimit(),
                g.memoryLimitBytes());
    }

    ContainerPlan reading(String file, String keyFile) {
        ContainerPlan g = good();
        return new ContainerPlan(
                g.slot(),
                g.launch(),
                g.planHash(),
                g.modelId(),
                g.image(),
                g.program(),
                g.arguments(),
                g.environment(),
                g.port(),
                List.of(file),
                keyFile,
                g.devices(),
                g.readOnlyRoot(),
                g.outbound(),
                g.pidsLimit(),
                g.memoryLimitBytes());
    }

    ContainerPlan with(DeviceClass devices, boolean outbound, int pids, @Nullable Long memory) {
        ContainerPlan g = good();
        return new ContainerPlan(
                g.slot(),
                g.launch(),
                g.planHash(),
                g.modelId(),
                g.image(),
                g.program(),
                g.arguments(),
                g.environment(),
                g.port(),
                g.files(),
                g.keyFile(),
                devices,
                g.readOnlyRoot(),
                outbound,
                pids,
                memory);
    }
}
