package dev.hal0.hardware;

import com.fasterxml.jackson.annotation.JsonValue;

/** What ends first when a model grows. */
public enum MemoryLimit {
    /** The GPU's own memory, or carve-out and GTT where memory is unified. */
    POOL("pool"),
    RAM("ram"),
    CGROUP("cgroup"),
    /** The Proxmox host, whose other guests no reading inside this one shows. */
    HOST("host");

    private final String word;

    MemoryLimit(String word) {
        this.word = word;
    }

    @JsonValue
    public String word() {
        return word;
    }
}
