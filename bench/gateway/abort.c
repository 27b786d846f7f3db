/*
 * A client that leaves: how long until the upstream sees its connection closed. One at a time and blocking, because only
 * the delay counts. The upstream tells by a datagram to a port named in the request, with a stamp of the common clock.
 */
#include "load.h"
#include "answer.h"
#include "histogram.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define CHUNKS_BEFORE_LEAVING 5
#define MISSES_BEFORE_GIVING_UP 2

static void nap(uint64_t nanoseconds) {
    struct timespec time = {(time_t)(nanoseconds / SECOND), (long)(nanoseconds % SECOND)};
    nanosleep(&time, NULL);
}

static void set_deadline(int descriptor, double seconds) {
    struct timeval time = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e6)};
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
}

static int report_socket(int *port) {
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    if (descriptor < 0 || bind(descriptor, (struct sockaddr *)&address, sizeof address) != 0 ||
        getsockname(descriptor, (struct sockaddr *)&address, &length) != 0) {
        fail("load: no port for the upstream's reports");
    }
    *port = ntohs(address.sin_port);
    return descriptor;
}

static void ignore_chunk(void *context, uint64_t stamp) {
    (void)context;
    (void)stamp;
}

/* Sends the request and waits for the moment to leave; -1 if the answer does not come. */
static int arrive(const struct options *options, int report_port, int trial) {
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char *request;
    size_t length = build_request(options, report_port, &request);
    set_deadline(descriptor, options->deadline);
    if (connect(descriptor, (const struct sockaddr *)&options->address, sizeof options->address) != 0 ||
        send(descriptor, request, length, MSG_NOSIGNAL) != (ssize_t)length) {
        free(request);
        close(descriptor);
        return -1;
    }
    free(request);
    if (options->silence_ms > 0) {
        nap(300 * MILLISECOND);
        return descriptor;
    }
    struct answer answer;
    answer_begin(&answer);
    while (answer.chunks < CHUNKS_BEFORE_LEAVING) {
        char buffer[4096];
        ssize_t count = recv(descriptor, buffer, sizeof buffer, 0);
        if (count > 0) {
            answer_feed(&answer, buffer, (size_t)count, ignore_chunk, NULL);
        }
        if (count <= 0 || answer.state == MALFORMED || answer.state == FINISHED) {
            close(descriptor);
            return -1;
        }
    }
    /* Somewhere between two chunks, each time elsewhere, so that a proxy that learns at the next write cannot hide it. */
    nap((uint64_t)(options->spacing_ms * (double)MILLISECOND) * (uint64_t)(trial % 8) / 10);
    return descriptor;
}

void run_abort(const struct options *given) {
    struct options options = *given;
    options.chunks = 5000; /* longer than any trial */
    struct histogram delay = {0};
    int tried = 0, missed = 0, unanswered = 0;
    for (; tried < options.trials && missed + unanswered < MISSES_BEFORE_GIVING_UP; tried++) {
        int report_port;
        int reports = report_socket(&report_port); /* a new one, so that a late report does not count for the next trial */
        set_deadline(reports, options.deadline);
        int descriptor = arrive(&options, report_port, tried);
        if (descriptor < 0) {
            unanswered++;
        } else {
            uint64_t left = now_ns();
            close(descriptor);
            char text[32] = "";
            if (recv(reports, text, sizeof text - 1, 0) > 0) {
                uint64_t seen = strtoull(text, NULL, 10);
                histogram_add(&delay, seen > left ? seen - left : 0);
            } else {
                missed++;
            }
        }
        close(reports);
    }
    printf("{\"mode\":\"abort\",\"trials\":%d,\"missed\":%d,\"failed\":%d,\"delay_us\":{\"count\":%llu,\"p50\":%.1f,\"max\":%.1f}}\n",
           tried, missed, unanswered, (unsigned long long)delay.count, (double)histogram_quantile(&delay, 0.5) / 1e3,
           (double)delay.most / 1e3);
}
