/* What the load generator's two parts share: load.c (many requests at once) and abort.c (clients that leave). */
#ifndef LOAD_H
#define LOAD_H

#include "common.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stddef.h>

struct options {
    const char *mode, *model, *headers;
    struct sockaddr_in address;
    int connections, rate, chunks, trials, prompt_bytes;
    double seconds, ramp, spacing_ms, silence_ms, deadline;
    bool once;
};

/* At most half of what the upstream takes. */
#define MOST_PROMPT_BYTES (2 << 20)

/* Builds a whole HTTP request, to be freed by the caller, and returns its length. */
size_t build_request(const struct options *options, int report_port, char **built);

/* Runs the mode `abort` and prints its result. */
void run_abort(const struct options *options);

#endif
