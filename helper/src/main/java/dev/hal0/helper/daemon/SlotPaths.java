package dev.hal0.helper.daemon;

import dev.hal0.kernel.SlotName;
import java.nio.file.Path;

/**
 * Where the helper writes.
 *
 * @param units systemd's folder for an administrator's units
 * @param runtime gone after a boot, like everything that only a launch needs
 */
record SlotPaths(Path units, Path runtime) {
    static final SlotPaths SYSTEM = new SlotPaths(Path.of("/etc/systemd/system"), Path.of("/run/hal0-helper"));

    static String unit(SlotName slot) {
        return "hal0-slot@" + slot + ".service";
    }

    static String container(SlotName slot) {
        return "hal0-slot-" + slot;
    }

    Path unitFile(SlotName slot) {
        return units.resolve(unit(slot));
    }

    Path folder(SlotName slot) {
        return runtime.resolve("slots").resolve(slot.value());
    }

    Path key(SlotName slot) {
        return folder(slot).resolve("engine.key");
    }

    Path labels(SlotName slot) {
        return folder(slot).resolve("labels");
    }

    Path stopSettings(SlotName slot) {
        return folder(slot).resolve("stop.env");
    }

    Path lock(SlotName slot) {
        return runtime.resolve("locks").resolve(slot.value());
    }

    Path egressRules() {
        return runtime.resolve("egress.nft");
    }
}
