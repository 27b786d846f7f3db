package dev.hal0.cli;

/** Shows an answer as it comes: on a terminal thoughts dim and apart from the words, in a file the words only. */
final class AnswerPrinter {
    private final Console console;
    private final Conversation conversation;
    private boolean thinking;
    private boolean begun;

    AnswerPrinter(Console console, Conversation conversation) {
        this.console = console;
        this.conversation = conversation;
    }

    /** Streams the answer to {@code text} and ends its last line, however it ends. */
    Conversation.Answer print(String text) {
        try {
            return conversation.say(text, this::word, this::thought);
        } finally {
            if (begun) {
                console.line("");
            }
        }
    }

    private void word(String word) {
        if (thinking) {
            console.text(System.lineSeparator() + System.lineSeparator());
            thinking = false;
        }
        show(console.foreign(word));
    }

    private void thought(String thought) {
        if (console.isOutputATerminal()) {
            thinking = true;
            show(console.dim(console.foreign(thought)));
        }
    }

    private void show(String text) {
        begun = true;
        console.text(text);
        if (console.isBroken()) {
            // Nobody reads any more: the engine need not go on.
            conversation.stop();
        }
    }
}
