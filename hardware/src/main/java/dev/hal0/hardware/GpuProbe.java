package dev.hal0.hardware;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** Lists the GPUs of all vendors; one vendor's success does not hide another's card. Confined to one probe. */
final class GpuProbe {
    private final Host host;
    private final Evidence evidence;
    private final NodeAccess kfd;
    private final List<NvidiaSmi.Row> nvidia;
    private final Map<String, Lspci.Device> lspci;
    private final List<VulkanSummary.Device> vulkan;
    private final List<KfdTopology.Node> nodes;

    private GpuProbe(Host host, NodeAccess kfd, Evidence evidence) {
        this.host = host;
        this.evidence = evidence;
        this.kfd = kfd;
        this.nvidia = evidence.step("gpus.nvidia_smi", List.of(), () -> NvidiaSmi.run(host));
        this.lspci = evidence.step("gpus.lspci", Map.of(), () -> Lspci.run(host));
        this.vulkan = evidence.step("gpus.vulkaninfo", List.of(), () -> VulkanSummary.run(host));
        this.nodes = evidence.step("gpus.kfd_topology", List.of(), () -> KfdTopology.run(host));
    }

    static List<Gpu> run(Host host, NodeAccess kfd, Evidence evidence) {
        return new GpuProbe(host, kfd, evidence).list();
    }

    private List<Gpu> list() {
        List<GpuCandidate> candidates = GpuCandidate.find(host, nvidia, lspci);
        boolean oneAmd = candidates.stream()
                        .filter(gpu -> GpuVendor.ofPciId(gpu.pciId()) == GpuVendor.AMD)
                        .count()
                == 1;
        var next = new EnumMap<GpuVendor, Integer>(GpuVendor.class);
        next.put(GpuVendor.NVIDIA, nvidia.size());
        var gpus = new ArrayList<Gpu>();
        for (GpuCandidate candidate : candidates) {
            gpus.addAll(evidence.step(
                    Gpu.field(candidate.slot(), "*"), List.of(), () -> List.of(inspect(candidate, oneAmd, next))));
        }
        if (gpus.isEmpty() && !vulkan.isEmpty()) {
            gpus.add(onlyByVulkan(vulkan.getFirst()));
        }
        return List.copyOf(gpus);
    }

    private Gpu inspect(GpuCandidate candidate, boolean onlyAmd, Map<GpuVendor, Integer> next) {
        NvidiaSmi.Row row = nvidia.stream()
                .filter(card -> card.slot().equals(candidate.slot()))
                .findFirst()
                .orElse(null);
        GpuVendor vendor = row != null ? GpuVendor.NVIDIA : GpuVendor.ofPciId(candidate.pciId());
        var known = VulkanSummary.of(candidate.pciId(), vulkan).orElse(null);
        String name = name(candidate, row, known);
        Long vram = vram(vendor, candidate, row);
        Long gtt = gtt(vendor, candidate);
        Boolean uma = UnifiedMemory.decide(host, vendor, candidate, name, known, vram, gtt, evidence);
        KfdTopology.Node node = vendor == GpuVendor.AMD ? KfdTopology.of(candidate, nodes, onlyAmd) : null;
        String gfx = node == null ? null : node.gfx();
        if (vendor == GpuVendor.AMD) {
            note(candidate, "gfx", gfx, "/sys/class/kfd topology");
        }
        String render = render(candidate);
        NodeAccess renderAccess = render == null ? NodeAccess.ABSENT : host.open(render);
        NodeAccess access = access(vendor, candidate, row, render, renderAccess);
        return new Gpu(
                vendor,
                row != null ? row.index() : next.merge(vendor, 1, Integer::sum) - 1,
                name,
                candidate.slot(),
                candidate.pciId(),
                candidate.driver(),
                row == null ? null : row.driverVersion(),
                gfx,
                uma,
                vram,
                gtt,
                candidate.card() == null ? null : "/dev/dri/" + candidate.card(),
                render,
                access,
                computeCapable(vendor, candidate, row, gfx, access),
                vulkanCapable(vendor, known != null, renderAccess));
    }

    private @Nullable String name(
            GpuCandidate candidate, NvidiaSmi.@Nullable Row row, VulkanSummary.@Nullable Device known) {
        if (row != null) {
            return note(candidate, "name", row.name(), "nvidia-smi");
        }
        Lspci.Device listed = candidate.slot() == null ? null : lspci.get(candidate.slot());
        if (listed != null && listed.name() != null) {
            return note(candidate, "name", listed.name(), "lspci");
        }
        if (known != null) {
            return note(candidate, "name", known.name(), "vulkaninfo");
        }
        boolean strixHalo = PlatformRules.STRIX_HALO_ID.equals(candidate.pciId());
        return note(
                candidate,
                "name",
                strixHalo ? "AMD Strix Halo graphics" : null,
                strixHalo ? "PCI id" : "neither lspci nor vulkaninfo names it");
    }

    private @Nullable Long vram(GpuVendor vendor, GpuCandidate candidate, NvidiaSmi.@Nullable Row row) {
        String field = "vram_dedicated_mb";
        return switch (vendor) {
            case NVIDIA ->
                note(
                        candidate,
                        field,
                        row == null ? null : row.totalMb(),
                        row == null ? "nvidia-smi does not list it" : "nvidia-smi memory.total");
            case AMD -> {
                String path = candidate.folder() + "/mem_info_vram_total";
                yield note(candidate, field, Parsing.mebibytes(host.number(path)), path);
            }
            case INTEL -> note(candidate, field, intelVram(candidate), "the driver's tile or lmem sizes");
            case UNKNOWN -> null;
        };
    }

    /** Only Intel's cards have these files; the processor's graphics have no memory of their own to report. */
    private @Nullable Long intelVram(GpuCandidate candidate) {
        String folder = Objects.requireNonNullElse(candidate.folder(), "");
        long tiles = 0;
        for (String name : host.list(folder)) {
            OptionalLong size = name.matches("tile\\d+")
                    ? host.number(folder + "/" + name + "/physical_vram_size_bytes")
                    : OptionalLong.empty();
            tiles += size.orElse(0);
        }
        return Parsing.mebibytes(
                tiles > 0
                        ? OptionalLong.of(tiles)
                        : host.number(folder + "/drm/" + candidate.card() + "/lmem_total_bytes"));
    }

    private @Nullable Long gtt(GpuVendor vendor, GpuCandidate candidate) {
        if (vendor != GpuVendor.AMD) {
            return null;
        }
        String path = candidate.folder() + "/mem_info_gtt_total";
        return note(
                candidate, "gtt_total_mb", Parsing.mebibytes(host.number(path)), path + ", at the time of the probe");
    }

    private @Nullable String render(GpuCandidate candidate) {
        return candidate.render() == null ? null : "/dev/dri/" + candidate.render();
    }

    private NodeAccess access(
            GpuVendor vendor,
            GpuCandidate candidate,
            NvidiaSmi.@Nullable Row row,
            @Nullable String render,
            NodeAccess renderAccess) {
        if (vendor == GpuVendor.NVIDIA) {
            return nvidiaAccess(candidate, row);
        }
        evidence.note(
                Gpu.field(candidate.slot(), "access"),
                renderAccess,
                render == null ? "the driver offers no render node" : "opening " + render);
        return renderAccess;
    }

    /** The tool talks to each card through its nodes, so its list is the proof; the control node serves all cards. */
    private NodeAccess nvidiaAccess(GpuCandidate candidate, NvidiaSmi.@Nullable Row row) {
        String field = Gpu.field(candidate.slot(), "access");
        NodeAccess access = NodeAccess.ABSENT;
        if (row != null) {
            access = NodeAccess.USABLE;
            evidence.note(field, access, "nvidia-smi reached it");
        } else if (!nvidia.isEmpty()) {
            evidence.note(field, access, "nvidia-smi reaches other cards but not this one");
        } else if (!"nvidia".equals(candidate.driver())) {
            evidence.note(field, access, "its driver is " + candidate.driver() + ", not nvidia");
        } else {
            access = host.open("/dev/nvidiactl");
            evidence.note(field, access, "opening /dev/nvidiactl");
        }
        return access;
    }

    /** Whether a tool such as rocm-smi is installed says nothing: engines bring their own libraries. */
    private @Nullable Boolean computeCapable(
            GpuVendor vendor,
            GpuCandidate candidate,
            NvidiaSmi.@Nullable Row row,
            @Nullable String gfx,
            NodeAccess access) {
        String field = "compute_capable";
        return switch (vendor) {
            case AMD -> {
                boolean open = kfd == NodeAccess.USABLE && access == NodeAccess.USABLE;
                yield note(
                        candidate,
                        field,
                        open && gfx == null && nodes.isEmpty() ? null : Boolean.valueOf(open && gfx != null),
                        "opening /dev/kfd (" + kfd.word() + ") and the render node; a target in the KFD topology");
            }
            case NVIDIA ->
                note(
                        candidate,
                        field,
                        row != null ? Boolean.TRUE : access == NodeAccess.USABLE ? null : Boolean.FALSE,
                        "nvidia-smi");
            case INTEL -> note(candidate, field, access == NodeAccess.USABLE, "the render node");
            case UNKNOWN -> null;
        };
    }

    private @Nullable Boolean vulkanCapable(GpuVendor vendor, boolean listed, NodeAccess render) {
        if (listed || vendor != GpuVendor.UNKNOWN && render == NodeAccess.USABLE) {
            return true;
        }
        // NVIDIA's driver can serve Vulkan through nodes of its own.
        return vendor == GpuVendor.NVIDIA || vendor == GpuVendor.UNKNOWN ? null : Boolean.FALSE;
    }

    private Gpu onlyByVulkan(VulkanSummary.Device device) {
        evidence.note("gpus[?].name", device.name(), "vulkaninfo; no other source shows a GPU");
        return new Gpu(
                GpuVendor.ofPciId(device.pciId()),
                0,
                device.name(),
                null,
                device.pciId(),
                null,
                null,
                null,
                device.integrated(),
                null,
                null,
                null,
                null,
                NodeAccess.ABSENT,
                null,
                true);
    }

    private <T> @Nullable T note(GpuCandidate candidate, String field, @Nullable T value, String source) {
        return evidence.note(Gpu.field(candidate.slot(), field), value, source);
    }
}
