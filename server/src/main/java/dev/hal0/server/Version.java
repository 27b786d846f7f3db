package dev.hal0.server;

/** What this build calls itself. */
final class Version {
    private Version() {}

    static String current() {
        String stamped = Version.class.getPackage().getImplementationVersion();
        return stamped == null ? "0.1.0-dev" : stamped;
    }
}
