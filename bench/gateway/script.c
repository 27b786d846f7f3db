/* What the upstream answers. A request's body says how long, how fast and after which silence (see common.h). */
#include "upstream.h"

#include <string.h>

struct identity identity = {.alias = "bench", .model_path = "", .context = 4096, .parallel = 1};

static char json_answer[4096];

__attribute__((format(printf, 2, 3))) static void append(struct connection *connection, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    size_t room = sizeof connection->output - connection->output_length;
    int length = vsnprintf(connection->output + connection->output_length, room, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= room) {
        fail("an answer does not fit its buffer");
    }
    connection->output_length += (size_t)length;
}

static void answer(struct connection *connection, const char *status, const char *body) {
    append(connection, "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", status,
           strlen(body), body);
}

void prepare_script(void) {
    char prose[640] = "";
    for (size_t i = 0; i + 10 < sizeof prose; i += 10) {
        strcat(prose, "lorem ips ");
    }
    snprintf(json_answer, sizeof json_answer,
             "{\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion\",\"created\":1700000000,\"model\":\"bench\","
             "\"choices\":[{\"index\":0,\"finish_reason\":\"stop\",\"message\":{\"role\":\"assistant\",\"content\":\"%s\"}}],"
             "\"usage\":{\"prompt_tokens\":200,\"completion_tokens\":128,\"total_tokens\":328},"
             "\"timings\":{\"prompt_n\":200,\"prompt_ms\":12.5,\"predicted_n\":128,\"predicted_ms\":640.0,"
             "\"predicted_per_second\":200.0}," JSON_END,
             prose);
}

void next_chunk(struct connection *connection) {
    if (!connection->head_sent) {
        append(connection, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
        connection->head_sent = true;
    }
    char text[512];
    int length;
    bool last = connection->next_chunk == connection->chunks;
    if (last) {
        length = snprintf(text, sizeof text,
                          "data: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,"
                          "\"model\":\"bench\",\"choices\":[],\"usage\":{\"prompt_tokens\":200,\"completion_tokens\":%d,"
                          "\"total_tokens\":%d},\"timings\":{\"prompt_n\":200,\"predicted_n\":%d}}\n\ndata: [DONE]\n\n",
                          connection->chunks, connection->chunks + 200, connection->chunks);
    } else {
        length = snprintf(text, sizeof text,
                          "data: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,"
                          "\"model\":\"bench\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" word\"}}],"
                          FIELD_INDEX "%d," FIELD_STAMP "%llu}\n\n",
                          connection->next_chunk, (unsigned long long)now_ns());
    }
    append(connection, "%x\r\n%s\r\n%s", length, text, last ? "0\r\n\r\n" : "");
    connection->next_chunk++;
    connection->busy = !last;
    /* On the original schedule, so that a late chunk does not slow the stream down; the stream's end follows at once. */
    if (connection->next_chunk < connection->chunks) {
        connection->due += connection->spacing;
    }
}

static long field(const char *body, const char *name, long otherwise, long most) {
    const char *found = strstr(body, name);
    if (!found) {
        return otherwise;
    }
    long value = strtol(found + strlen(name), NULL, 10);
    return value < 0 ? 0 : value > most ? most : value;
}

static void answer_chat(struct connection *connection, const char *body) {
    connection->report_port = (int)field(body, FIELD_REPORT, 0, 65535);
    uint64_t silence = (uint64_t)field(body, FIELD_SILENCE, 0, 60000) * MILLISECOND;
    if (!strstr(body, "\"stream\":true") && !strstr(body, "\"stream\": true")) {
        answer(connection, "200 OK", json_answer);
        return;
    }
    connection->busy = true;
    connection->head_sent = false;
    connection->next_chunk = 0;
    connection->chunks = (int)field(body, FIELD_CHUNKS, 16, 1000000);
    connection->spacing = (uint64_t)field(body, FIELD_SPACING, 0, 60000) * MILLISECOND;
    schedule(connection, now_ns() + silence + connection->spacing);
}

void answer_request(struct connection *connection, const char *head, const char *body) {
    if (!strncmp(head, "POST /v1/chat/completions ", 26)) {
        answer_chat(connection, body);
    } else if (!strncmp(head, "GET /health ", 12)) {
        answer(connection, "200 OK", "{\"status\":\"ok\"}");
    } else if (!strncmp(head, "GET /v1/models ", 15)) {
        char text[512];
        snprintf(text, sizeof text, "{\"object\":\"list\",\"data\":[{\"id\":\"%.256s\",\"object\":\"model\"}]}",
                 identity.alias);
        answer(connection, "200 OK", text);
    } else if (!strncmp(head, "GET /slots ", 11)) {
        answer(connection, "200 OK",
               earliest() ? "[{\"id\":0,\"is_processing\":true}]" : "[{\"id\":0,\"is_processing\":false}]");
    } else if (!strncmp(head, "GET /props ", 11)) {
        char text[2048];
        snprintf(text, sizeof text,
                 "{\"model_alias\":\"%.256s\",\"model_path\":\"%.1024s\",\"total_slots\":%ld,\"build_info\":\"bench\","
                 "\"default_generation_settings\":{\"n_ctx\":%ld}}",
                 identity.alias, identity.model_path, identity.parallel, identity.context / identity.parallel);
        answer(connection, "200 OK", text);
    } else {
        answer(connection, "404 Not Found", "{\"error\":{\"message\":\"no such route\",\"code\":404}}");
    }
}

void refuse_request(struct connection *connection) {
    answer(connection, "411 Length Required", "{\"error\":{\"message\":\"only bodies with a Content-Length\"}}");
}
