package dev.hal0.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.buffer.Buffer;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Replies as llama.cpp 0.7.0 writes them. */
class StreamMeterTest {
    private static final String ROLE =
            "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":null}}],\"id\":\"c\"}\n\n";
    private static final String TOKEN = "data: {\"choices\":[{\"delta\":{\"content\":\" ze\"}}],\"id\":\"c\"}\n\n";
    private static final String TIMINGS = "\"timings\":{\"cache_n\":31,\"prompt_n\":1,\"prompt_ms\":8.083,"
            + "\"prompt_per_second\":123.7,\"predicted_n\":3,\"predicted_ms\":0.5}";
    private static final String FINISH =
            "data: {\"choices\":[{\"finish_reason\":\"length\",\"delta\":{}}]," + TIMINGS + "}\n\n";
    private static final String USAGE = "data: {\"choices\":[],\"usage\":{\"completion_tokens\":3,\"prompt_tokens\":32,"
            + "\"total_tokens\":35,\"prompt_tokens_details\":{\"cached_tokens\":31}}," + TIMINGS + "}\n\n";
    private static final String DONE = "data: [DONE]\n\n";

    private final AtomicInteger firstContents = new AtomicInteger();
    private final StreamMeter meter = new StreamMeter(firstContents::incrementAndGet);

    /** Pitfalls P39 and section 8.4: the role chunk and comments are no first token. */
    @Test
    void roleChunkAndComments_areNoContent() {
        pass(": loading\n\n" + ROLE);
        assertThat(firstContents).hasValue(0);
        assertThat(meter.pieces()).isZero();

        pass(TOKEN + TOKEN);
        assertThat(firstContents).hasValue(1);
        assertThat(meter.pieces()).isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"choices\":[{\"delta\":{\"reasoning_content\":\"hm\"}}]}",
                "{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0}]}}]}",
                "{\"choices\":[{\"text\":\"a\"}]}",
                "{\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\"do\"}}",
                "{\"type\":\"content_block_delta\",\"delta\":{\"thinking\":\"do\"}}",
                "{\"type\":\"response.output_text.delta\",\"delta\":\" ru\"}",
                "{\"content\":\"native\"}",
            })
    void textThoughtsAndToolCalls_areContent(String event) {
        pass("event: x\r\ndata: " + event + "\r\n\r\n");

        assertThat(firstContents).hasValue(1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"choices\":[{\"delta\":{\"content\":\"\"}}]}",
                "{\"choices\":[{\"delta\":{\"tool_calls\":[]}}]}",
                "{\"type\":\"content_block_start\",\"content_block\":{\"type\":\"text\",\"text\":\"\"}}",
                "{\"type\":\"response.created\",\"response\":{\"id\":\"r\"}}",
                "[DONE]",
                "{ not json",
            })
    void otherEvents_areNoContent(String event) {
        pass("data: " + event + "\n\n");

        assertThat(firstContents).hasValue(0);
    }

    @Test
    void timingsOfTheLastEvent_areTheFigures() {
        pass(ROLE + TOKEN + FINISH + DONE);

        assertThat(meter.figures()).isEqualTo(new EngineFigures(32L, 3L, 31L, 8.083, 0.5));
    }

    @Test
    void usageEventThatNobodyAskedFor_isTakenOutAndCounted() {
        meter.hideUsage();

        Buffer passed = meter.accept(Buffer.buffer(ROLE + TOKEN + FINISH + USAGE + DONE));

        assertThat(passed).hasToString(ROLE + TOKEN + FINISH + DONE);
        assertThat(meter.figures()).isEqualTo(new EngineFigures(32L, 3L, 31L, 8.083, 0.5));
    }

    @Test
    void usageEventAlone_leavesNothing() {
        meter.hideUsage();

        assertThat(meter.accept(Buffer.buffer(USAGE))).isNull();
    }

    @Test
    void usageEventThatTheClientAskedFor_passes() {
        Buffer events = Buffer.buffer(USAGE + DONE);

        assertThat(meter.accept(events)).isSameAs(events);
    }

    /** An engine that puts the usage beside content: hiding it would swallow the content. */
    @Test
    void usageBesideContent_passes() {
        meter.hideUsage();
        Buffer events = Buffer.buffer(
                "data: {\"choices\":[{\"text\":\"\",\"finish_reason\":\"length\"}],\"usage\":{\"prompt_tokens\":2}}\n\n");

        assertThat(meter.accept(events)).isSameAs(events);
        assertThat(meter.figures().promptTokens()).isEqualTo(2);
    }

    /** A model may write these words; inside a JSON string their quotes are escaped. */
    @Test
    void usageInTheModelsOwnWords_isNoFigure() {
        pass("data: {\"choices\":[{\"delta\":{\"content\":\"{\\\"usage\\\":{\\\"prompt_tokens\\\":9}}\"}}]}\n\n");

        assertThat(meter.figures()).isEqualTo(EngineFigures.UNKNOWN);
        assertThat(firstContents).hasValue(1);
    }

    @Test
    void messagesStream_hasItsPromptAtTheBeginningAndItsAnswerAtTheEnd() {
        pass("event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":"
                + "{\"cache_read_input_tokens\":31,\"input_tokens\":1,\"output_tokens\":0}}}\n\n");
        assertThat(meter.figures()).isEqualTo(new EngineFigures(32L, null, 31L, null, null));

        pass("event: message_delta\ndata: {\"type\":\"message_delta\",\"usage\":{\"output_tokens\":3}}\n\n");
        assertThat(meter.figures()).isEqualTo(new EngineFigures(32L, 3L, 31L, null, null));
    }

    @Test
    void responsesStream_countsCachedTokensAsPartOfThePrompt() {
        pass("data: {\"type\":\"response.completed\",\"response\":{\"usage\":{\"input_tokens\":24,\"output_tokens\":3,"
                + "\"total_tokens\":27,\"input_tokens_details\":{\"cached_tokens\":23}}}}\n\n");

        assertThat(meter.figures()).isEqualTo(new EngineFigures(24L, 3L, 23L, null, null));
    }

    @Test
    void nullUsageOfEveryChunk_saysNothing() {
        pass("data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}],\"usage\":null}\n\n");

        assertThat(meter.figures()).isEqualTo(EngineFigures.UNKNOWN);
    }

    @Test
    void embeddings_sayTheirPromptOnly() {
        Buffer document = Buffer.buffer(
                "{\"model\":\"m\",\"usage\":{\"prompt_tokens\":9,\"total_tokens\":9},\"data\":[{\"embedding\":[0.1]}]}");

        assertThat(FigureReader.read(document, 0, document.length()))
                .isEqualTo(new EngineFigures(9L, null, null, null, null));
    }

    @Test
    void figuresThatAreNone_areUnknownAndNeverZero() {
        Buffer document = Buffer.buffer(
                "{\"usage\":{\"prompt_tokens\":\"many\",\"completion_tokens\":-1},\"timings\":{\"prompt_ms\":null}}");

        assertThat(FigureReader.read(document, 0, document.length())).isEqualTo(EngineFigures.UNKNOWN);
    }

    private void pass(String events) {
        Buffer whole = Buffer.buffer(events);
        assertThat(meter.accept(whole)).isSameAs(whole);
    }
}
