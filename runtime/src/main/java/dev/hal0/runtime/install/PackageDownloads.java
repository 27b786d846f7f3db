package dev.hal0.runtime.install;

import dev.hal0.kernel.ErrorCode;
import dev.hal0.kernel.Hal0Exception;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/** Brings all packages of a lock together: what is there already, what ships with hal0, then the mirrors. */
final class PackageDownloads {
    /** What the mirrors said of one file that none of them gave. */
    private static final class Refusals {
        private final String path;
        private final List<String> reasons = new ArrayList<>();
        private final Set<MirrorFault.Kind> kinds = EnumSet.noneOf(MirrorFault.Kind.class);

        Refusals(String path) {
            this.path = path;
        }

        void add(URI mirror, MirrorFault fault) {
            reasons.add(MirrorHttp.shown(mirror) + " " + fault.getMessage());
            kinds.add(fault.kind());
        }

        /** One mirror that could not be asked may have it: then nothing is known, and nothing else may be installed. */
        Hal0Exception verdict(EngineLock lock, Mirrors mirrors) throws PinGoneException {
            String said = "For " + path + ": " + String.join("; ", reasons) + ".";
            if (kinds.contains(MirrorFault.Kind.BROKEN)) {
                return new Hal0Exception(
                        ErrorCode.ENGINE_INSTALL_FAILED, said + " What arrived is kept; the next try resumes.");
            }
            if (kinds.contains(MirrorFault.Kind.ABSENT)) {
                throw new PinGoneException(said);
            }
            return mirrors.unsuitable(lock, said);
        }
    }

    private record Located(EngineLock.Pin pin, URI mirror) {}

    private final FileTransfer transfer;
    private final MirrorHttp http;
    private final Mirrors mirrors;
    private final BundledPackages bundled;
    /** Those that could not be asked once; asking again for each package would take their timeout each time. */
    private final Map<URI, MirrorFault> broken = new LinkedHashMap<>();

    PackageDownloads(FileTransfer transfer, MirrorHttp http, Mirrors mirrors, BundledPackages bundled) {
        this.transfer = transfer;
        this.http = http;
        this.mirrors = mirrors;
        this.bundled = bundled;
    }

    Path file(EngineLock.Pin pin) {
        return transfer.file(pin);
    }

    /** Removes what no pin of this lock asks for. */
    private void keepOnly(EngineLock lock) throws IOException {
        var wanted = lock.packages().stream().map(EngineLock.Pin::sha256).toList();
        try (var files = Files.list(transfer.folder())) {
            for (Path file : (Iterable<Path>) files::iterator) {
                if (wanted.stream().noneMatch(file.getFileName().toString()::startsWith)) {
                    Files.deleteIfExists(file);
                }
            }
        }
    }

    /**
     * @return where the packages are from, for the record; empty text when all were there
     * @throws PinGoneException when every mirror answered and none has one of them; nothing was fetched then, unless the
     *     mirror changed in between
     */
    String fetch(EngineLock lock, Consumer<String> progress, Runnable afterEach) throws IOException, PinGoneException {
        String from = "";
        var missing = new ArrayList<EngineLock.Pin>();
        for (EngineLock.Pin pin : lock.packages()) {
            FileTransfer.requireNotCancelled();
            if (transfer.complete(pin)) {
                continue;
            }
            if (bundled.provide(lock.engine(), pin, transfer)) {
                from = "packages that ship with hal0,";
                afterEach.run();
            } else {
                missing.add(pin);
            }
        }
        List<Located> located = locate(lock, missing);
        // Only now: a version that turns out to be gone must not cost what arrived of the one that replaces it.
        keepOnly(lock);
        long bytes = lock.totalSize()
                - missing.stream().mapToLong(EngineLock.Pin::size).sum();
        int count = lock.packages().size() - missing.size();
        for (Located next : located) {
            from = MirrorHttp.shown(fetch(lock, next));
            count++;
            bytes += next.pin().size();
            progress.accept(String.format(
                    Locale.ROOT,
                    "Downloaded %d of %d packages, %.1f of %.1f MB",
                    count,
                    lock.packages().size(),
                    bytes / 1e6,
                    lock.totalSize() / 1e6));
            afterEach.run();
        }
        return from;
    }

    /** Asks for all before fetching the first: a mirror that has moved on lacks some and not others. */
    private List<Located> locate(EngineLock lock, List<EngineLock.Pin> missing) throws PinGoneException {
        if (mirrors.uris().isEmpty() && !missing.isEmpty()) {
            throw mirrors.unsuitable(lock, "This machine's apt sources name no Debian archive over HTTP.");
        }
        var located = new ArrayList<Located>();
        var order = new ArrayList<>(mirrors.uris());
        for (EngineLock.Pin pin : missing) {
            URI mirror = locate(lock, pin, order);
            located.add(new Located(pin, mirror));
            // Who has one package most likely has the next.
            order.remove(mirror);
            order.addFirst(mirror);
        }
        return located;
    }

    private URI locate(EngineLock lock, EngineLock.Pin pin, List<URI> order) throws PinGoneException {
        var refusals = new Refusals(pin.path());
        for (URI mirror : order) {
            FileTransfer.requireNotCancelled();
            try {
                ask(mirror, pin.path());
                return mirror;
            } catch (MirrorFault fault) {
                refusals.add(mirror, fault);
            }
        }
        throw refusals.verdict(lock, mirrors);
    }

    private void ask(URI mirror, String path) throws MirrorFault {
        MirrorFault before = broken.get(mirror);
        if (before != null) {
            throw before;
        }
        try {
            http.requirePresent(mirror, path);
        } catch (MirrorFault fault) {
            if (fault.kind() == MirrorFault.Kind.BROKEN) {
                broken.put(mirror, fault);
            }
            throw fault;
        }
    }

    /** @return the mirror that gave it */
    private URI fetch(EngineLock lock, Located located) throws IOException, PinGoneException {
        var order = new ArrayList<>(mirrors.uris());
        order.remove(located.mirror());
        order.addFirst(located.mirror());
        var refusals = new Refusals(located.pin().path());
        for (URI mirror : order) {
            try {
                MirrorFault before = broken.get(mirror);
                if (before != null) {
                    throw before;
                }
                transfer.fetch(located.pin(), mirror);
                return mirror;
            } catch (MirrorFault fault) {
                refusals.add(mirror, fault);
            }
        }
        throw refusals.verdict(lock, mirrors);
    }
}
