package dev.hal0.hardware.proxmox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hal0.hardware.proxmox.ProxmoxSummary.Failed;
import dev.hal0.hardware.proxmox.ProxmoxSummary.Reading;
import dev.hal0.kernel.Json;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class ProxmoxResourcesPropertyTest {
    @Property(tries = 500)
    void anyRows_giveOneConsistentNodeOrAReason(@ForAll("rows") List<Map<String, Object>> rows) {
        var answer = Json.LENIENT.readTree(Json.STRICT.writeValueAsString(Map.of("data", rows)));

        switch (ProxmoxResources.summary(answer, new OwnGuest(null, "hal0"))) {
            case Reading reading -> {
                assertThat(reading.hostMemTotalMb()).isPositive();
                assertThat(reading.hostMemFreeMb()).isBetween(0L, reading.hostMemTotalMb());
                assertThat(reading.tenants()).allMatch(tenant -> tenant.node().equals(reading.node()));
                assertThat(reading.tenantsAllocatedMb()).isNotNegative();
            }
            case Failed failed -> assertThat(failed.error()).isNotBlank();
            case ProxmoxSummary.NotConfigured other -> throw new AssertionError(other);
        }
    }

    @Provide
    Arbitrary<List<Map<String, Object>>> rows() {
        Arbitrary<String> keys =
                Arbitraries.of("type", "node", "vmid", "name", "status", "mem", "maxmem", "cpu", "maxcpu", "uptime");
        Arbitrary<Object> values = Arbitraries.of(
                "node",
                "lxc",
                "qemu",
                "pve1",
                "pve2",
                "hal0",
                "running",
                "",
                "NaN",
                -1,
                0,
                105,
                0.5,
                1L << 37,
                Long.MAX_VALUE,
                1e300,
                true,
                List.of(1),
                Map.of());
        Arbitrary<Map<String, Object>> likely = Arbitraries.maps(keys, values).map(odd -> {
            var row = new java.util.HashMap<String, Object>(Map.of("type", "node", "node", "pve1", "maxmem", 1L << 37));
            row.putAll(Map.of("mem", 1L << 30, "vmid", 105, "name", "hal0"));
            row.putAll(odd);
            return row;
        });
        return likely.list().ofMaxSize(6);
    }
}
