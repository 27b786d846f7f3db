package dev.hal0.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hal0.kernel.ErrorCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** {@code docs/errors.md} is the catalogue in words. After a change: run this with {@code -Dhal0.write-docs=true}. */
class ErrorsDocumentTest {
    @Test
    void document_isTheCatalogue() throws IOException {
        Path file = Path.of("..", "docs", "errors.md");
        var text = new StringBuilder("""
                # Errors

                Every failure of hal0's own is `{"error":{"code","message","type","param","details","request_id"}}` with one of
                these codes; on Anthropic's routes it is `{"type":"error","error":{…},"request_id"}`, with Anthropic's word as the
                error's type. Generated from `ErrorCode`; edit that.

                | Code | Status | What to do |
                |---|---|---|
                """);
        for (ErrorCode code : ErrorCode.values()) {
            text.append("| `")
                    .append(code.code())
                    .append("` | ")
                    .append(code.status())
                    .append(" | ")
                    .append(code.remedy().replace("|", "\\|"))
                    .append(" |\n");
        }
        if (Boolean.getBoolean("hal0.write-docs")) {
            Files.writeString(file, text);
        }
        assertThat(file).content().isEqualTo(text.toString());
    }
}
