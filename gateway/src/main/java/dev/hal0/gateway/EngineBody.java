package dev.hal0.gateway;

import java.util.List;

/** What an engine is sent behind the head of a request. */
record EngineBody(String contentType, List<BodyPiece> pieces) {
    EngineBody {
        pieces = List.copyOf(pieces);
    }

    long length() {
        return pieces.stream().mapToLong(BodyPiece::length).sum();
    }
}
