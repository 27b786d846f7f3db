/*
 * A load generator on one thread and one epoll. Every answer is checked to the last chunk; what fails is counted by reason.
 * The result is one line of JSON on standard output.
 *
 *   load json   --url URL --connections 32 --seconds 5      closed loop: the next request follows the answer
 *   load rate   --url URL --rate 1000 --seconds 5           fixed rate: latency counts from the scheduled time
 *   load stream --url URL --connections 200 --chunks 64 --spacing-ms 20 [--ramp 1] [--once]
 *   load abort  --url URL --trials 10 [--silence-ms 8000]   see abort.c
 */
#define _GNU_SOURCE
#include "load.h"
#include "answer.h"
#include "histogram.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define MOST_CONNECTIONS 16384
#define MOST_FAILURES_IN_A_ROW 500
#define REASONS 12

struct connection {
    int descriptor; /* -1 while closed */
    bool outstanding, used;
    size_t sent;
    uint64_t started, deadline, last_chunk;
    struct answer answer;
};

static struct options options = {.model = "bench", .headers = "", .prompt_bytes = 700, .connections = 1, .rate = 1000, .chunks = 64, .trials = 10,
                                 .seconds = 5, .deadline = 30};
static struct connection *connections;
static int *idle, idle_count, opened, outstanding;
static char *request;
static size_t request_length;
static bool streamed, fixed_rate, gave_up;
static int poller, timer, failures_in_a_row;
static uint64_t start, end, moment, timer_due, last_finish;
static uint64_t next_event, all_events, completed, completed_in_time, chunks_in_time, failed;
static struct histogram latency, first, gap, transit;
static struct { const char *reason; uint64_t count; } failures[REASONS];

static uint64_t event_due(uint64_t event) {
    if (fixed_rate) {
        return start + event * SECOND / (uint64_t)options.rate;
    }
    return start + (uint64_t)((double)event * options.ramp * (double)SECOND / (double)all_events);
}

static void count_failure(struct connection *connection, const char *reason) {
    if (failed++ == 0) {
        fprintf(stderr, "load: first failure: %s; status %d, body: %.300s\n", reason, connection->answer.status,
                connection->answer.text_length > 0 ? connection->answer.text : "");
    }
    for (int i = 0; i < REASONS; i++) {
        if (!failures[i].reason || !strcmp(failures[i].reason, reason)) {
            failures[i].reason = reason;
            failures[i].count++;
            break;
        }
    }
    if (++failures_in_a_row >= MOST_FAILURES_IN_A_ROW) {
        gave_up = true;
    }
}

static void close_connection(struct connection *connection) {
    if (connection->descriptor >= 0) {
        close(connection->descriptor);
        connection->descriptor = -1;
    }
}

static bool open_connection(struct connection *connection) {
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) {
        fail("load: no socket: %s (raise `ulimit -n`?)", strerror(errno));
    }
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (connect(descriptor, (const struct sockaddr *)&options.address, sizeof options.address) != 0 &&
        errno != EINPROGRESS) {
        close(descriptor);
        return false;
    }
    connection->descriptor = descriptor;
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = connection};
    epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event);
    return true;
}

static void finish(struct connection *connection, const char *fault);

/* Edge-triggered, so a request that could not be sent whole goes on at the next EPOLLOUT without asking for it. */
static void send_rest(struct connection *connection) {
    while (connection->sent < request_length) {
        ssize_t sent = send(connection->descriptor, request + connection->sent, request_length - connection->sent, MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno != EAGAIN && errno != ENOTCONN) {
                finish(connection, errno == ECONNREFUSED ? "connection refused" : "sending failed");
            }
            return;
        }
        connection->sent += (size_t)sent;
    }
}

static void begin(struct connection *connection, uint64_t started) {
    connection->outstanding = true;
    connection->started = started;
    connection->deadline = moment + (uint64_t)(options.deadline * (double)SECOND);
    connection->last_chunk = 0;
    connection->sent = 0;
    answer_begin(&connection->answer);
    outstanding++;
    if (connection->descriptor < 0) {
        if (!open_connection(connection)) {
            finish(connection, "cannot connect");
        }
        return; /* EPOLLOUT tells when it is connected */
    }
    send_rest(connection);
}

static void on_chunk(void *context, uint64_t stamp) {
    struct connection *connection = context;
    if (connection->last_chunk == 0) {
        histogram_add(&first, moment - connection->started);
    } else {
        histogram_add(&gap, moment - connection->last_chunk);
    }
    histogram_add(&transit, moment > stamp ? moment - stamp : 0);
    connection->last_chunk = moment;
    chunks_in_time += moment <= end || options.once;
}

/* Ends a request; fault is NULL when all is well. */
static void finish(struct connection *connection, const char *fault) {
    connection->outstanding = false;
    outstanding--;
    if (fault) {
        count_failure(connection, fault);
        close_connection(connection);
    } else {
        failures_in_a_row = 0;
        completed++;
        completed_in_time += moment <= end;
        last_finish = moment;
        histogram_add(&latency, moment - connection->started);
        if (!connection->answer.keep_alive) {
            close_connection(connection);
        }
    }
    idle[idle_count++] = (int)(connection - connections);
}

/* After a hang-up there is no further edge, so everything up to the end is read at once. */
static void readable(struct connection *connection, bool hung_up) {
    static char buffer[65536];
    for (;;) {
        ssize_t count = recv(connection->descriptor, buffer, sizeof buffer, 0);
        moment = now_ns();
        if (count < 0 && errno == EAGAIN) {
            return;
        }
        if (!connection->outstanding) {
            close_connection(connection); /* an idle connection that the server closed, or bytes nobody asked for */
            return;
        }
        if (count <= 0) {
            finish(connection, count == 0 ? "connection closed early" : errno == ECONNREFUSED ? "connection refused" : "connection broke");
            return;
        }
        answer_feed(&connection->answer, buffer, (size_t)count, on_chunk, connection);
        if (connection->answer.state == FINISHED || connection->answer.state == MALFORMED) {
            finish(connection, answer_fault(&connection->answer, streamed, options.chunks));
            if (hung_up) {
                close_connection(connection);
            }
            return;
        }
        if (!hung_up && (size_t)count < sizeof buffer) {
            return; /* later bytes raise a new edge */
        }
    }
}

/* Starts what is due, in order; in a closed loop a connection that became idle goes again at once. */
static void start_due(void) {
    moment = now_ns();
    bool stopping = gave_up || (!options.once && moment >= end);
    if (fixed_rate) {
        while (!gave_up && next_event < all_events && event_due(next_event) <= moment && (idle_count > 0 || opened < options.connections)) {
            int chosen = idle_count > 0 ? idle[--idle_count] : opened++;
            begin(&connections[chosen], event_due(next_event++));
        }
        return;
    }
    while (idle_count > 0 && !options.once && !stopping) {
        begin(&connections[idle[--idle_count]], moment);
    }
    while (!stopping && next_event < all_events && event_due(next_event) <= moment) {
        begin(&connections[opened++], event_due(next_event++));
    }
}

static bool is_over(void) {
    bool none_left = next_event == all_events || gave_up || (!fixed_rate && !options.once && moment >= end);
    return none_left && outstanding == 0 && (options.once || fixed_rate || gave_up || moment >= end);
}

static void fail_overdue(void) {
    for (int i = 0; i < opened; i++) {
        if (connections[i].outstanding && moment > connections[i].deadline) {
            finish(&connections[i], "deadline");
        }
    }
}

static void arm_timer(void) {
    bool blocked = fixed_rate && idle_count == 0 && opened == options.connections;
    if (next_event < all_events && !blocked && event_due(next_event) != timer_due) {
        timer_due = event_due(next_event);
        struct itimerspec when = {.it_value = {(time_t)(timer_due / SECOND), (long)(timer_due % SECOND)}};
        timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL);
    }
}

static void run(void) {
    start = now_ns() + 10 * MILLISECOND;
    end = start + (uint64_t)((options.ramp + options.seconds) * (double)SECOND);
    uint64_t hard_end = end + (uint64_t)((options.deadline + 1) * (double)SECOND);
    uint64_t next_sweep = start;
    do {
        arm_timer();
        struct epoll_event events[512];
        int ready = epoll_wait(poller, events, 512, 50);
        moment = now_ns();
        for (int i = 0; i < ready; i++) {
            struct connection *connection = events[i].data.ptr;
            if (!connection) {
                uint64_t expirations;
                if (read(timer, &expirations, sizeof expirations) < 0 && errno != EAGAIN) {
                    fail("load: the timer broke");
                }
                continue;
            }
            if ((events[i].events & EPOLLOUT) && connection->outstanding && connection->sent < request_length) {
                send_rest(connection);
            }
            if ((events[i].events & ~(uint32_t)EPOLLOUT) && connection->descriptor >= 0) {
                readable(connection, events[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR));
            }
        }
        if (moment > next_sweep) {
            fail_overdue();
            next_sweep = moment + 250 * MILLISECOND;
        }
        start_due();
    } while (!is_over() && moment < hard_end);
    for (int i = 0; i < opened; i++) {
        if (connections[i].outstanding) {
            finish(&connections[i], "unfinished at the end");
        }
        close_connection(&connections[i]);
    }
}

static void print_histogram(const char *name, const struct histogram *histogram) {
    printf(",\"%s_us\":{\"count\":%llu,\"p50\":%.1f,\"p99\":%.1f,\"max\":%.1f}", name, (unsigned long long)histogram->count,
           (double)histogram_quantile(histogram, 0.5) / 1e3, (double)histogram_quantile(histogram, 0.99) / 1e3,
           (double)histogram->most / 1e3);
}

static void print_result(void) {
    double elapsed = (double)((options.once ? last_finish : end) - start) / (double)SECOND;
    uint64_t never_sent = fixed_rate || options.once ? all_events - next_event : 0;
    printf("{\"mode\":\"%s\",\"elapsed_s\":%.3f,\"completed\":%llu,\"failed\":%llu,\"never_sent\":%llu,\"per_second\":%.1f", options.mode,
           elapsed, (unsigned long long)completed, (unsigned long long)failed, (unsigned long long)never_sent,
           (double)(options.once ? completed : completed_in_time) / elapsed);
    print_histogram("latency", &latency);
    if (streamed) {
        printf(",\"chunks\":%llu,\"chunks_per_second\":%.1f", (unsigned long long)transit.count, (double)chunks_in_time / elapsed);
        print_histogram("first", &first);
        print_histogram("gap", &gap);
        print_histogram("transit", &transit);
    }
    printf(",\"failures\":{");
    for (int i = 0; i < REASONS && failures[i].reason; i++) {
        printf("%s\"%s\":%llu", i ? "," : "", failures[i].reason, (unsigned long long)failures[i].count);
    }
    printf("}}\n");
}

size_t build_request(const struct options *given, int report_port, char **built) {
    char host[INET_ADDRSTRLEN], *body = NULL, *prose = malloc((size_t)given->prompt_bytes + 1);
    if (!prose) {
        fail("load: no memory for a prompt of %d bytes", given->prompt_bytes);
    }
    memset(prose, 'x', (size_t)given->prompt_bytes);
    prose[given->prompt_bytes] = 0;
    for (int i = 5; i < given->prompt_bytes; i += 6) {
        prose[i] = ' ';
    }
    bool stream = strcmp(given->mode, "stream") == 0 || strcmp(given->mode, "abort") == 0;
    int length = asprintf(&body,
                          "{\"model\":\"%s\",\"messages\":[{\"role\":\"system\",\"content\":\"You are a benchmark.\"},"
                          "{\"role\":\"user\",\"content\":\"%s\"}],\"temperature\":0.7,\"top_p\":0.95,\"max_tokens\":128,%s"
                          FIELD_CHUNKS "%d," FIELD_SPACING "%.0f," FIELD_SILENCE "%.0f," FIELD_REPORT "%d}",
                          given->model, prose,
                          stream ? "\"stream\":true,\"stream_options\":{\"include_usage\":true}," : "\"stream\":false,",
                          given->chunks, given->spacing_ms, given->silence_ms, report_port);
    inet_ntop(AF_INET, &given->address.sin_addr, host, sizeof host);
    int total = length < 0 ? -1 : asprintf(built,
                         "POST /v1/chat/completions HTTP/1.1\r\nHost: %s:%d\r\nAccept: */*\r\nUser-Agent: bench\r\n"
                         "%sContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
                         host, ntohs(given->address.sin_port), given->headers, length, body);
    if (total < 0) {
        fail("load: no memory for the request");
    }
    free(prose);
    free(body);
    return (size_t)total;
}

/* "Name: value" lines by "|", each ended as HTTP wants it. */
static const char *header_lines(const char *given) {
    char *lines = calloc(2 * strlen(given) + 3, 1), *to = lines;
    for (const char *from = given; lines && *from; from++) {
        if (*from == '|') {
            *to++ = '\r';
            *to++ = '\n';
        } else {
            *to++ = *from;
        }
    }
    if (lines && to > lines) {
        strcpy(to, "\r\n");
    }
    return lines ? lines : "";
}

static void read_url(const char *url) {
    char host[64];
    int port = 80;
    if (sscanf(url, "http://%63[0-9.]:%d", host, &port) < 1 || inet_pton(AF_INET, host, &options.address.sin_addr) != 1 ||
        (ntohl(options.address.sin_addr.s_addr) >> 24) != 127) {
        fail("load: --url must be a loopback address such as http://127.0.0.1:8080, not '%s'", url);
    }
    options.address.sin_family = AF_INET;
    options.address.sin_port = htons((uint16_t)port);
}

static void read_arguments(int count, char **words) {
    if (count < 2) {
        fail("usage: load json|rate|stream|abort --url URL [option value]…");
    }
    options.mode = words[1];
    for (int i = 2; i < count; i++) {
        const char *name = words[i];
        if (!strcmp(name, "--once")) {
            options.once = true;
            continue;
        }
        if (++i == count) {
            fail("load: %s needs a value", name);
        }
        const char *value = words[i];
        double number = strtod(value, NULL);
        if (!strcmp(name, "--url")) read_url(value);
        else if (!strcmp(name, "--model")) options.model = value;
        else if (!strcmp(name, "--connections")) options.connections = (int)number;
        else if (!strcmp(name, "--rate")) options.rate = (int)number;
        else if (!strcmp(name, "--chunks")) options.chunks = (int)number;
        else if (!strcmp(name, "--trials")) options.trials = (int)number;
        else if (!strcmp(name, "--seconds")) options.seconds = number;
        else if (!strcmp(name, "--ramp")) options.ramp = number;
        else if (!strcmp(name, "--spacing-ms")) options.spacing_ms = number;
        else if (!strcmp(name, "--silence-ms")) options.silence_ms = number;
        else if (!strcmp(name, "--prompt-bytes")) options.prompt_bytes = (int)number;
        else if (!strcmp(name, "--headers")) options.headers = header_lines(value);
        else if (!strcmp(name, "--deadline")) options.deadline = number;
        else fail("load: unknown option %s", name);
    }
    streamed = !strcmp(options.mode, "stream");
    fixed_rate = !strcmp(options.mode, "rate");
    if (!streamed && !fixed_rate && strcmp(options.mode, "json") && strcmp(options.mode, "abort")) {
        fail("load: the mode is json, rate, stream or abort, not '%s'", options.mode);
    }
    if (options.address.sin_port == 0 || options.connections < 1 || options.connections > MOST_CONNECTIONS || options.rate < 1 ||
        options.rate > 100000 || options.chunks < 1 || options.seconds < 0 || options.seconds > 120 || options.ramp < 0 ||
        options.ramp > 60 || options.deadline <= 0 || options.deadline > 120 || options.trials < 1 || options.trials > 100 ||
        options.prompt_bytes < 1 || options.prompt_bytes > MOST_PROMPT_BYTES) {
        fail("load: --url is missing or a number is out of range");
    }
}

int main(int count, char **words) {
    read_arguments(count, words);
    raise_descriptor_limit();
    if (!strcmp(options.mode, "abort")) {
        run_abort(&options);
        return 0;
    }
    request_length = build_request(&options, 0, &request);
    connections = calloc((size_t)options.connections, sizeof *connections);
    idle = calloc((size_t)options.connections, sizeof *idle);
    if (!connections || !idle) {
        fail("load: out of memory");
    }
    for (int i = 0; i < options.connections; i++) {
        connections[i].descriptor = -1;
    }
    all_events = fixed_rate ? (uint64_t)(options.rate * options.seconds) : (uint64_t)options.connections;
    poller = epoll_create1(EPOLL_CLOEXEC);
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    epoll_ctl(poller, EPOLL_CTL_ADD, timer, &(struct epoll_event){.events = EPOLLIN, .data.ptr = NULL});
    run();
    print_result();
    return 0;
}
