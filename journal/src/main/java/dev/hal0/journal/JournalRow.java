package dev.hal0.journal;

/** Something worth remembering after it is over. Immutable; what a nullable part does not know is null, never 0. */
public sealed interface JournalRow permits EventRow, OperationRow, RequestRow, TransitionRow {}
