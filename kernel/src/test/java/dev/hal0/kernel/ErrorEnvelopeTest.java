package dev.hal0.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class ErrorEnvelopeTest {
    /** The shape is public API: the OpenAI SDKs and every client read it. */
    @Test
    void failure_hasTheGoldenShape() {
        var failure = new Hal0Exception(ErrorCode.SLOT_LOADING, "Slot 'chat' is loading")
                .withParam("model")
                .withDetail("slot", "chat")
                .withRetryAfter(Duration.ofMillis(2500));

        assertThat(Json.PRETTY.writeValueAsString(ErrorEnvelope.of(failure, "req-1")))
                .isEqualToNormalizingNewlines("""
                        {
                          "error" : {
                            "code" : "slot.loading",
                            "message" : "Slot 'chat' is loading",
                            "type" : "server_error",
                            "param" : "model",
                            "details" : {
                              "slot" : "chat",
                              "retry_after_s" : 3,
                              "remedy" : "Retry after the given seconds; `hal0 slot list` shows the progress."
                            },
                            "request_id" : "req-1"
                          }
                        }""");
    }

    @Test
    void absentParamAndRequestId_arePresentAsNull() {
        String json = Json.STRICT.writeValueAsString(
                ErrorEnvelope.of(new Hal0Exception(ErrorCode.SLOT_NOT_FOUND, "No slot 'x'"), null));

        assertThat(json)
                .contains("\"param\":null")
                .contains("\"request_id\":null")
                .contains("not_found_error");
    }

    @Test
    void ownRemedyInDetails_winsOverTheCatalogue() {
        var failure = new Hal0Exception(ErrorCode.SLOT_NOT_FOUND, "No slot 'x'").withDetail("remedy", "Try 'y'.");

        assertThat(ErrorEnvelope.of(failure, null).error().details()).containsEntry("remedy", "Try 'y'.");
    }

    @Test
    void retryAfterBelowASecond_isOneSecond() {
        var failure = new Hal0Exception(ErrorCode.SLOT_BUSY, "full").withRetryAfter(Duration.ofMillis(1));

        assertThat(failure.retryAfterSeconds()).contains(1L);
    }
}
