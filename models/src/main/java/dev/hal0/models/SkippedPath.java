package dev.hal0.models;

import java.nio.file.Path;

/** @param reason one clause for people */
public record SkippedPath(Path path, String reason) {}
