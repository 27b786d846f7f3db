/* What the load generator's two parts share: load.c (many requests at once) and abort.c (clients that leave). */
#ifndef LOAD_H
#define LOAD_H

#include "common.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stddef.h>

struct options {
    const char *mode, *model;
    struct sockaddr_in address;
    int connections, rate, chunks, trials;
    double seconds, ramp, spacing_ms, silence_ms, deadline;
    bool once;
};

/* Writes a whole HTTP request of about 1 KB body into buffer and returns its length. */
size_t build_request(const struct options *options, int report_port, char *buffer, size_t room);

/* Runs the mode `abort` and prints its result. */
void run_abort(const struct options *options);

#endif
