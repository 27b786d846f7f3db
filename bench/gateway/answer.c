#include "answer.h"
#include "common.h"

#include <string.h>
#include <strings.h>

void answer_begin(struct answer *answer) {
    answer->state = HEAD;
    answer->status = 0;
    answer->keep_alive = true;
    answer->chunked = answer->event_stream = answer->has_length = answer->out_of_order = answer->done = false;
    answer->remaining = 0;
    answer->line_length = answer->text_length = 0;
    answer->chunks = 0;
}

static const char *header_value(const char *line, const char *name) {
    size_t length = strlen(name);
    if (strncasecmp(line, name, length) != 0) {
        return NULL;
    }
    line += length;
    while (*line == ' ') {
        line++;
    }
    return line;
}

static void head_ends(struct answer *answer) {
    if (answer->status >= 100 && answer->status < 200) {
        answer->status = 0;
    } else if (answer->chunked) {
        answer->state = CHUNK_SIZE;
    } else if (answer->has_length) {
        answer->state = answer->remaining > 0 ? SIZED_BODY : FINISHED;
    } else {
        /* Delimited by the connection's end: a cut would look like an end, so it counts as a fault. */
        answer->state = MALFORMED;
    }
}

static void head_line(struct answer *answer) {
    const char *line = answer->line, *value;
    if (answer->status == 0) {
        answer->status = strncmp(line, "HTTP/1.1 ", 9) == 0 ? atoi(line + 9) : -1;
        if (answer->status < 100) {
            answer->state = MALFORMED;
        }
    } else if (answer->line_length == 0) {
        head_ends(answer);
    } else if ((value = header_value(line, "content-length:"))) {
        answer->remaining = strtoull(value, NULL, 10);
        answer->has_length = true;
    } else if ((value = header_value(line, "transfer-encoding:"))) {
        answer->chunked = strncasecmp(value, "chunked", 7) == 0;
    } else if ((value = header_value(line, "content-type:"))) {
        answer->event_stream = strncasecmp(value, "text/event-stream", 17) == 0;
    } else if ((value = header_value(line, "connection:"))) {
        answer->keep_alive = strncasecmp(value, "close", 5) != 0;
    }
}

static void chunk_size_line(struct answer *answer) {
    char *end;
    answer->remaining = strtoull(answer->line, &end, 16);
    if (end == answer->line) {
        answer->state = MALFORMED;
    } else {
        answer->state = answer->remaining > 0 ? CHUNK_DATA : TRAILER;
    }
}

static void line_ends(struct answer *answer) {
    if (answer->line_length > 0 && answer->line[answer->line_length - 1] == '\r') {
        answer->line_length--;
    }
    answer->line[answer->line_length] = 0;
    if (answer->state == HEAD) {
        head_line(answer);
    } else if (answer->state == CHUNK_SIZE) {
        chunk_size_line(answer);
    } else if (answer->state == CHUNK_END) {
        answer->state = CHUNK_SIZE;
    } else if (answer->line_length == 0) {
        answer->state = FINISHED; /* the empty line after the trailers */
    }
    answer->line_length = 0;
}

static void event_line(struct answer *answer, chunk_listener *listener, void *context) {
    const char *text = answer->text;
    if (strcmp(text, "data: [DONE]") == 0) {
        answer->done = true;
        return;
    }
    /* Near the end of the line; an event without a stamp (usage) or a comment is nobody's chunk. */
    size_t tail = answer->text_length > 80 ? answer->text_length - 80 : 0;
    const char *index = strstr(text + tail, FIELD_INDEX);
    const char *stamp = strstr(text + tail, FIELD_STAMP);
    if (!index || !stamp) {
        return;
    }
    if (answer->done || atoi(index + strlen(FIELD_INDEX)) != answer->chunks) {
        answer->out_of_order = true;
    }
    answer->chunks++;
    listener(context, strtoull(stamp + strlen(FIELD_STAMP), NULL, 10));
}

static void body_bytes(struct answer *answer, const char *bytes, size_t length, chunk_listener *listener, void *context) {
    while (length > 0) {
        const char *line_end = answer->event_stream ? memchr(bytes, '\n', length) : NULL;
        size_t part = line_end ? (size_t)(line_end - bytes) : length;
        size_t room = sizeof answer->text - 1 - answer->text_length;
        size_t kept = part < room ? part : room;
        memcpy(answer->text + answer->text_length, bytes, kept);
        answer->text_length += kept;
        answer->text[answer->text_length] = 0;
        if (!line_end) {
            return;
        }
        event_line(answer, listener, context);
        answer->text_length = 0;
        bytes += part + 1;
        length -= part + 1;
    }
}

void answer_feed(struct answer *answer, const char *bytes, size_t length, chunk_listener *listener, void *context) {
    while (length > 0 && answer->state != FINISHED && answer->state != MALFORMED) {
        if (answer->state == SIZED_BODY || answer->state == CHUNK_DATA) {
            size_t part = answer->remaining < length ? (size_t)answer->remaining : length;
            body_bytes(answer, bytes, part, listener, context);
            answer->remaining -= part;
            bytes += part;
            length -= part;
            if (answer->remaining == 0) {
                answer->state = answer->state == SIZED_BODY ? FINISHED : CHUNK_END;
            }
            continue;
        }
        const char *line_end = memchr(bytes, '\n', length);
        size_t part = line_end ? (size_t)(line_end - bytes) : length;
        if (answer->line_length + part >= sizeof answer->line) {
            answer->state = MALFORMED;
            return;
        }
        memcpy(answer->line + answer->line_length, bytes, part);
        answer->line_length += part;
        bytes += part + (line_end != NULL);
        length -= part + (line_end != NULL);
        if (line_end) {
            line_ends(answer);
        }
    }
    if (length > 0) {
        answer->state = MALFORMED; /* bytes after the end that nobody asked for */
    }
}

const char *answer_fault(const struct answer *answer, bool streamed, int expected_chunks) {
    if (answer->state != FINISHED) {
        return answer->state == MALFORMED ? "malformed HTTP" : "cut off";
    }
    if (answer->status != 200) {
        return "status is not 200";
    }
    if (!streamed) {
        size_t end = strlen(JSON_END);
        bool whole = answer->text_length >= end && strcmp(answer->text + answer->text_length - end, JSON_END) == 0;
        return whole ? NULL : "JSON is not whole";
    }
    if (answer->out_of_order) {
        return "chunks out of order or missing";
    }
    if (answer->chunks != expected_chunks) {
        return "wrong number of chunks";
    }
    return answer->done ? NULL : "no [DONE]";
}
