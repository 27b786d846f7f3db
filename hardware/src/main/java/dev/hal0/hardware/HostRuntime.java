package dev.hal0.hardware;

import com.fasterxml.jackson.annotation.JsonValue;

/** What stands between hal0 and the metal. Says nothing about the accelerator: see {@link Accelerator}. */
public enum HostRuntime {
    BARE_METAL("bare-metal"),
    LXC("lxc"),
    /** Any virtual machine except WSL; the explanation names the hypervisor where it gave a name. */
    KVM("kvm"),
    WSL2("wsl2"),
    /** A container that is not LXC: Docker, Podman, systemd-nspawn, a Kubernetes pod. */
    CONTAINER("container");

    private final String word;

    HostRuntime(String word) {
        this.word = word;
    }

    @JsonValue
    public String word() {
        return word;
    }

    boolean isContainer() {
        return this == LXC || this == CONTAINER;
    }
}
