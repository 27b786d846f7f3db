/* The upstream's three parts: connections (upstream.c), what is answered (script.c), when (schedule.c). */
#ifndef UPSTREAM_H
#define UPSTREAM_H

#include "common.h"

#include <stdbool.h>
#include <stddef.h>

#define MOST_DESCRIPTORS 65536

struct connection {
    int descriptor;
    char *input;
    size_t input_length, input_capacity;
    char output[4096];
    size_t output_length, output_sent;
    bool busy, head_sent; /* busy: a stream is under way */
    int chunks, next_chunk, report_port;
    uint64_t spacing, due, last_active;
    int heap_index; /* -1 while nothing is scheduled */
};

/* What the command line said, told back in /props. */
struct identity {
    const char *alias, *model_path;
    long context, parallel;
};

extern struct identity identity;

/* schedule.c: connections by due time. */
void schedule(struct connection *connection, uint64_t due);
void unschedule(struct connection *connection);
struct connection *earliest(void);

/* script.c: both only fill the output buffer; the caller sends it. */
void prepare_script(void);
void answer_request(struct connection *connection, const char *head, const char *body);
void refuse_request(struct connection *connection);
void next_chunk(struct connection *connection);

#endif
