package dev.hal0.hardware.proxmox;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

final class RecordingListener implements ProxmoxWatch.Listener {
    final List<String> events = new CopyOnWriteArrayList<>();

    @Override
    public void unreachable(String error) {
        events.add("unreachable");
    }

    @Override
    public void recovered() {
        events.add("recovered");
    }
}
