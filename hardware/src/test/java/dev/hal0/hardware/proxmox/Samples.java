package dev.hal0.hardware.proxmox;

import org.jspecify.annotations.Nullable;

/** Settings and answers that the tests share. */
final class Samples {
    static final String TOKEN = "6f1c2c5e-90aa-4c3f-8b57-2d0f4a9e7b31";
    static final String USER = "hal0@pve";
    static final String TOKEN_NAME = "reader";
    static final OwnGuest SELF = new OwnGuest(null, "hal0");
    static final String OTHER_FINGERPRINT = "00" + ":11".repeat(31);

    /** One node of 128 GiB with three guests, of which 105 is us. */
    static final String ONE_NODE = """
            {"data":[
            {"type":"node","node":"pve1","status":"online","maxmem":137438953472,"mem":25769803776,
             "cpu":0.25,"maxcpu":32,"uptime":86400},
            {"type":"storage","storage":"local","node":"pve1","maxdisk":1},
            {"type":"qemu","vmid":200,"name":"win","node":"pve1","status":"running","maxmem":4294967296,
             "mem":2254438400,"maxcpu":4,"cpu":0.5},
            {"type":"lxc","vmid":159,"name":"files","node":"pve1","status":"running","maxmem":8589934592,
             "mem":3221225472,"maxcpu":2,"cpu":0},
            {"type":"lxc","vmid":300,"name":"old","node":"pve1","status":"stopped","maxmem":206158430208,"mem":0},
            {"type":"lxc","vmid":105,"name":"hal0","node":"pve1","status":"running","maxmem":103079215104,
             "mem":9663676416,"maxcpu":16,"cpu":0.125}]}""";

    /** We are on the node that is listed second. */
    static final String TWO_NODES = """
            {"data":[
            {"type":"node","node":"alpha","status":"online","maxmem":34359738368,"mem":1073741824},
            {"type":"node","node":"beta","status":"online","maxmem":137438953472,"mem":25769803776},
            {"type":"lxc","vmid":101,"name":"dns","node":"alpha","status":"running","maxmem":1073741824},
            {"type":"lxc","vmid":105,"name":"hal0","node":"beta","status":"running","maxmem":103079215104},
            {"type":"qemu","vmid":200,"name":"win","node":"beta","status":"running","maxmem":4294967296}]}""";

    static final String NOTHING = "{\"data\":[]}";

    private Samples() {}

    static ProxmoxSettings settings(String host, int port, boolean verify, @Nullable String fingerprint) {
        return new ProxmoxSettings(host, port, verify, USER, TOKEN_NAME, TOKEN, fingerprint);
    }

    static ProxmoxSettings pinned(FakeProxmox fake) {
        return settings("localhost", fake.port(), false, FakeIdentity.shared().fingerprint());
    }

    static ProxmoxUpdate update(String host, int port, @Nullable String token) {
        return new ProxmoxUpdate(host, port, USER, TOKEN_NAME, token, null, null);
    }
}
