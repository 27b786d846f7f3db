package dev.hal0.slots;

/**
 * How far an engine is with one request, by its own counters.
 *
 * @param promptTokens of the whole prompt; 0 while it does not say
 * @param promptDone tokens of the prompt that were read or came from a cache
 * @param decoded tokens of the answer
 */
public record EngineTask(long promptTokens, long promptDone, long decoded) {}
