package dev.hal0.runtime.install;

import java.io.IOException;

/** Why one mirror did not give a file: the mirror's or the network's fault, as opposed to the disk's. */
final class MirrorFault extends IOException {
    private static final long serialVersionUID = 1L;

    enum Kind {
        /** It answers, and the file is not there (404, 410): the only answer that may lead to another version. */
        ABSENT,
        /** It gives us nothing (403): some hosts say so of files that they do not have, yet it proves nothing. */
        REFUSED,
        /** Anything else; another try may end otherwise. */
        BROKEN
    }

    private final Kind kind;

    MirrorFault(Kind kind, String message) {
        super(message);
        this.kind = kind;
    }

    static MirrorFault broken(String message) {
        return new MirrorFault(Kind.BROKEN, message);
    }

    static MirrorFault unreachable(IOException failure) {
        return broken("cannot be reached (" + MirrorHttp.reason(failure) + ")");
    }

    static MirrorFault status(int status) {
        Kind kind = switch (status) {
            case 404, 410 -> Kind.ABSENT;
            case 403 -> Kind.REFUSED;
            default -> Kind.BROKEN;
        };
        return new MirrorFault(kind, "answers " + status);
    }

    Kind kind() {
        return kind;
    }
}
