package dev.hal0.hardware.live;

import dev.hal0.hardware.Host;
import dev.hal0.hardware.MemoryReadings;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Main memory and the control group's share. The total is read too: a container's can be changed while it runs. */
final class MemoryReader implements PartReader<MemoryReader.Ram> {
    private static final Pattern TOTAL = Pattern.compile("(?m)^MemTotal:\\s*(\\d{1,15})\\s*kB");

    private final Host host;

    MemoryReader(Host host) {
        this.host = host;
    }

    /** MiB. */
    record Ram(
            @Nullable Long totalMb,
            @Nullable Long availableMb,
            @Nullable Long cgroupUsedMb) {}

    @Override
    public Outcome<Ram> read(boolean watched) {
        MemoryReadings now = MemoryReadings.read(host, null);
        Long total = host.read("/proc/meminfo")
                .map(TOTAL::matcher)
                .filter(Matcher::find)
                .map(found -> Long.parseLong(found.group(1)) / 1024)
                .orElse(null);
        var ram = new Ram(total, now.memAvailableMb(), now.cgroupUsedMb());
        return ram.equals(new Ram(null, null, null)) ? new Outcome.Gone<>() : new Outcome.Value<>(ram);
    }
}
