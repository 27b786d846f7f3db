package dev.hal0.models;

import java.util.Optional;

/**
 * One file of a model that has several.
 *
 * @param rel its path, relative to the folder of the model's first file
 * @param size in bytes; 0 when unknown
 * @param sha256 in lower-case hexadecimal, where it is known
 * @param role {@code model}, {@code shard}, {@code mmproj}, {@code tokenizer} or {@code config}; others are kept as they are
 */
public record ModelPart(String rel, long size, Optional<String> sha256, String role) {}
