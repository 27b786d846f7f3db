package dev.hal0.models;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Set;

/** Ids for files that have none yet: the same files always get the same ids, and no two get one. */
final class SuggestedIds {
    private static final int LONGEST = 110;
    private static final int SUFFIX = 6;

    private final Set<String> taken = new HashSet<>();

    /** @param taken ids that are in use; letter case makes no difference, since people type them */
    SuggestedIds(Iterable<String> taken) {
        taken.forEach(id -> this.taken.add(id.toLowerCase(Locale.ROOT)));
    }

    /** The file's name in lower case with dashes for all but letters and digits. */
    static String plain(String fileName) {
        String stem = ScanNames.stem(fileName).toLowerCase(Locale.ROOT).replaceFirst("-\\d{5}-of-\\d{5}$", "");
        String id = stem.replaceAll("[^a-z0-9]+", "-");
        id = id.substring(0, Math.min(LONGEST, id.length())).replaceAll("^-+|-+$", "");
        return id.isEmpty() ? "model" : id;
    }

    /** With a suffix made from the path where the plain id is taken: it does not depend on what else is found. */
    String next(String fileName, Path path) {
        String plain = plain(fileName);
        String id = plain;
        String digest = digest(path);
        for (int length = SUFFIX; !taken.add(id); length++) {
            id = plain + "-" + digest.substring(0, length);
        }
        return id;
    }

    private static String digest(Path path) {
        try {
            byte[] hash =
                    MessageDigest.getInstance("SHA-256").digest(path.toString().getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(hash);
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException("every Java platform has SHA-256", impossible);
        }
    }
}
