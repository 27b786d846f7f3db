package dev.hal0.runtime.install;

/**
 * One version of an engine that hal0 installed.
 *
 * @param version its folder's name; what {@link InstalledEngines#remove} takes
 * @param reportedVersion as the program calls itself; empty when it does not say
 * @param source the mirror and suite it came from; ends with {@code unpinned} when the pinned packages were gone and those
 *     of the day were taken
 * @param current whether launches use it, unless a program of the person's own wins
 */
public record InstalledVersion(String engine, String version, String reportedVersion, String source, boolean current) {}
