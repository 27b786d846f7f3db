package dev.hal0.hardware.live;

import dev.hal0.hardware.Host;
import java.util.OptionalLong;

/**
 * How long the NPU was awake since the last call: the kernel counts milliseconds awake and asleep, and the driver lets it
 * sleep when nothing runs.
 */
final class NpuReader implements PartReader<Share> {
    private final Host host;
    private final String power;
    private final ActivityCounter counter = new ActivityCounter();

    /** @param accelPath {@code /dev/accel/accel0} */
    NpuReader(Host host, String accelPath) {
        this.host = host;
        this.power = "/sys/class/accel/" + accelPath.replaceFirst("^.*/", "") + "/device/power";
    }

    @Override
    public Outcome<Share> read(boolean watched) {
        OptionalLong active = host.number(power + "/runtime_active_time");
        OptionalLong suspended = host.number(power + "/runtime_suspended_time");
        if (active.isEmpty() || suspended.isEmpty()) {
            counter.forget();
            return new Outcome.Gone<>();
        }
        Double percent = counter.percent(active.getAsLong(), suspended.getAsLong());
        // Forbidden to sleep it counts as awake all the time, whatever it does.
        boolean keptAwake = host.line(power + "/control").filter("on"::equals).isPresent();
        return new Outcome.Value<>(new Share(keptAwake ? null : percent));
    }
}
