package dev.hal0.server;

import dev.hal0.hardware.GpuVendor;
import dev.hal0.hardware.HardwareReport;
import dev.hal0.hardware.NodeAccess;
import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import dev.hal0.kernel.SlotName;
import dev.hal0.slots.Capabilities;
import dev.hal0.slots.Capability;
import dev.hal0.slots.Device;
import dev.hal0.slots.Operation;
import dev.hal0.slots.SlotManager;
import dev.hal0.slots.SlotState;
import dev.hal0.slots.SlotView;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** {@code /api/capabilities} and {@code /api/backends}. */
final class CapabilityRoutes {
    /**
     * @param status state of the slot that carries it out; null where there is no such slot
     * @param chosen false for what nobody chose: it is what the slot's file says
     * @param differs how the slot's file differs from the choice; null where it does not
     */
    record SelectionView(
            String group,
            String child,
            Device device,
            @Nullable String provider,
            @Nullable String model,
            boolean enabled,
            SlotName slot,
            @Nullable SlotState status,
            boolean chosen,
            @Nullable String differs) {}

    /** @param problem why {@code capabilities.toml} is not in force; null when it is */
    record CapabilitiesView(
            List<SelectionView> selections, @Nullable String problem) {}

    record Select(
            @Nullable Device device,
            @Nullable String backend,
            @Nullable String provider,
            @Nullable String model,
            @Nullable Boolean enabled) {}

    /**
     * @param pendingReload the NPU's chat slot has to be restarted by hand before it does what was chosen
     * @param operation that carries it out; null where nothing has to be started or stopped
     * @param lifecycleProblem why nothing could be started; the choice is stored all the same
     */
    record Selected(
            SelectionView selection,
            boolean pendingReload,
            @Nullable Operation operation,
            @Nullable String lifecycleProblem) {}

    /** @param state {@code available}, {@code absent}, or {@code unknown} while nothing was probed */
    record BackendView(String id, String label, Device device, String state, List<SlotName> loaded) {}

    private final SlotManager slots;
    private final Capabilities capabilities;
    private final Machine machine;

    CapabilityRoutes(SlotManager slots, Capabilities capabilities, Machine machine) {
        this.slots = slots;
        this.capabilities = capabilities;
        this.machine = machine;
    }

    List<ApiRoute> routes() {
        return List.of(
                ApiRoute.get(
                        "/api/capabilities",
                        "What was chosen for each capability, and the slot that does it.",
                        CapabilitiesView.class,
                        request -> ApiAnswer.ok(new CapabilitiesView(
                                capabilities.list().stream().map(this::view).toList(),
                                capabilities
                                        .problem()
                                        .map(Hal0Exception::message)
                                        .orElse(null)))),
                ApiRoute.post(
                        "/api/capabilities/{group}/{child}",
                        "Choose device, model or whether it is on; its slot's file changes with it, and the slot follows.",
                        Select.class,
                        Selected.class,
                        200,
                        this::select),
                ApiRoute.get(
                        "/api/backends",
                        "What models can run on here.",
                        BackendView[].class,
                        request -> ApiAnswer.ok(Arrays.stream(Device.values())
                                .map(this::backend)
                                .toList())),
                ApiRoute.get(
                        "/api/backends/{id}",
                        "One of them.",
                        BackendView.class,
                        request -> ApiAnswer.ok(backend(device(request.parameter("id"))))));
    }

    private ApiAnswer select(ApiRequest request) {
        Select body = request.body(Select.class);
        Device device = body.device();
        if (device == null && body.backend() != null) {
            device = device(body.backend());
        }
        var applied = capabilities.apply(
                Capability.of(request.parameter("group"), request.parameter("child")),
                new Capabilities.Change(device, body.provider(), body.model(), body.enabled()));
        slots.definitionsChanged();
        Operation operation = null;
        String problem = null;
        try {
            operation = follow(applied).orElse(null);
        } catch (Hal0Exception failure) {
            // What was chosen stays chosen: the next request, or a person, can try again.
            problem = failure.message();
        }
        return ApiAnswer.ok(new Selected(
                view(capabilities.get(applied.entry().capability())), applied.pendingReload(), operation, problem));
    }

    private Optional<Operation> follow(Capabilities.Applied applied) {
        if (applied.pendingReload()) {
            return Optional.empty();
        }
        SlotName slot = applied.entry().slot();
        boolean on = applied.entry().selection().enabled();
        boolean was = applied.before().enabled();
        boolean same = applied.before().equals(applied.entry().selection());
        boolean runs = slots.view(slot).state().isDispatchable();
        if (on && runs && !same) {
            return Optional.of(slots.restart(slot, false));
        }
        if (on && !runs) {
            return Optional.of(slots.load(slot, Optional.empty(), false));
        }
        return !on && (was || runs) ? Optional.of(slots.unload(slot, false)) : Optional.empty();
    }

    private SelectionView view(Capabilities.Entry entry) {
        var selection = entry.selection();
        return new SelectionView(
                entry.capability().group(),
                entry.capability().child(),
                selection.device(),
                selection.provider().orElse(null),
                selection.model().orElse(null),
                selection.enabled(),
                entry.slot(),
                slots.definitions()
                        .find(entry.slot())
                        .map(known -> slots.view(entry.slot()).state())
                        .orElse(null),
                entry.chosen(),
                entry.differs());
    }

    private static Device device(String id) {
        return Arrays.stream(Device.values())
                .filter(device -> id(device).equals(id) || device.label().equals(id))
                .findFirst()
                .orElseThrow(() -> new Hal0Exception(
                        ErrorCode.BACKEND_NOT_FOUND,
                        "No backend '" + id + "'; there are "
                                + Arrays.stream(Device.values())
                                        .map(CapabilityRoutes::id)
                                        .toList()
                                + "."));
    }

    private static String id(Device device) {
        return device.label().replace("gpu-", "");
    }

    private BackendView backend(Device device) {
        return new BackendView(
                id(device),
                switch (device) {
                    case GPU_ROCM -> "ROCm on AMD GPUs";
                    case GPU_VULKAN -> "Vulkan on any GPU";
                    case GPU_CUDA -> "CUDA on NVIDIA GPUs";
                    case CPU -> "The processor";
                    case NPU -> "The neural processor";
                },
                device,
                machine.report()
                        .map(report -> isThere(report, device) ? "available" : "absent")
                        .orElse("unknown"),
                slots.list().stream()
                        .filter(slot -> slot.device() == device && slot.state().isDispatchable())
                        .map(SlotView::name)
                        .toList());
    }

    private static boolean isThere(HardwareReport report, Device device) {
        return switch (device) {
            case CPU -> true;
            case NPU -> report.npu().present();
            case GPU_ROCM -> report.kfd() == NodeAccess.USABLE;
            case GPU_VULKAN -> report.primaryGpu().isPresent();
            case GPU_CUDA -> report.gpus().stream().anyMatch(gpu -> gpu.vendor() == GpuVendor.NVIDIA);
        };
    }
}
