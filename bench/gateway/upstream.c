/*
 * A scripted upstream: speaks as much of llama-server as a gateway uses, on one thread and one epoll. What it answers is
 * written in the request's body (see common.h), so it needs no configuration and can be started in llama-server's place:
 * it takes that program's command line, understands the few flags that come back in /props, and ignores the others.
 */
#define _GNU_SOURCE
#include "upstream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define MOST_INPUT (4 << 20)
#define EVENTS 512
/* Also frees connections that a candidate's pool has forgotten; candidates keep theirs for a shorter time. */
#define IDLE_LIMIT (60 * SECOND)

static const char *host = "127.0.0.1";
static long port = 8080;
static struct connection *connections[MOST_DESCRIPTORS];
static int poller, timer, reporter;
static uint64_t timer_due;

static void watch(struct connection *connection, bool also_writable) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | (also_writable ? EPOLLOUT : 0), .data.ptr = connection};
    epoll_ctl(poller, EPOLL_CTL_MOD, connection->descriptor, &event);
}

/* A datagram, because the client that left can be told in no other way that goes past the gateway. */
static void report_close(struct connection *connection) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)connection->report_port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    char text[32];
    int length = snprintf(text, sizeof text, "%llu", (unsigned long long)now_ns());
    sendto(reporter, text, (size_t)length, MSG_DONTWAIT, (struct sockaddr *)&address, sizeof address);
}

static void close_connection(struct connection *connection) {
    if (connection->busy && connection->report_port > 0) {
        report_close(connection);
    }
    unschedule(connection);
    connections[connection->descriptor] = NULL;
    close(connection->descriptor);
    free(connection->input);
    free(connection);
}

/* Returns false when the connection is gone and freed. */
static bool flush(struct connection *connection) {
    while (connection->output_sent < connection->output_length) {
        ssize_t sent = send(connection->descriptor, connection->output + connection->output_sent,
                            connection->output_length - connection->output_sent, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) {
            watch(connection, true);
            return true;
        }
        if (sent < 0) {
            close_connection(connection);
            return false;
        }
        connection->output_sent += (size_t)sent;
        connection->last_active = now_ns();
    }
    connection->output_length = connection->output_sent = 0;
    return true;
}

/* Takes whole requests off the input, one answer at a time. Returns false when the connection is gone. */
static bool take_requests(struct connection *connection) {
    while (!connection->busy && connection->output_length == 0 && connection->input_length > 0) {
        connection->input[connection->input_length] = 0;
        char *head_end = strstr(connection->input, "\r\n\r\n");
        if (!head_end) {
            return true;
        }
        *head_end = 0;
        const char *length_header = strcasestr(connection->input, "\r\ncontent-length:");
        bool chunked = strcasestr(connection->input, "\r\ntransfer-encoding:") != NULL;
        size_t body_length = length_header ? strtoul(length_header + 17, NULL, 10) : 0;
        size_t head_length = (size_t)(head_end - connection->input) + 4;
        if (chunked || body_length > MOST_INPUT / 2) {
            refuse_request(connection);
            connection->input_length = 0;
            return flush(connection);
        }
        if (connection->input_length < head_length + body_length) {
            *head_end = '\r';
            return true;
        }
        char *body = connection->input + head_length;
        char after = body[body_length];
        body[body_length] = 0;
        answer_request(connection, connection->input, body);
        body[body_length] = after;
        connection->input_length -= head_length + body_length;
        memmove(connection->input, body + body_length, connection->input_length);
        if (!flush(connection)) {
            return false;
        }
    }
    return true;
}

static void readable(struct connection *connection) {
    if (connection->input_capacity - connection->input_length < 2048) {
        connection->input_capacity = connection->input_capacity ? connection->input_capacity * 2 : 4096;
        if (connection->input_capacity > MOST_INPUT) {
            close_connection(connection);
            return;
        }
        connection->input = realloc(connection->input, connection->input_capacity + 1);
        if (!connection->input) {
            fail("out of memory");
        }
    }
    ssize_t count = recv(connection->descriptor, connection->input + connection->input_length,
                         connection->input_capacity - connection->input_length, 0);
    if (count > 0) {
        connection->input_length += (size_t)count;
        connection->last_active = now_ns();
        take_requests(connection);
    } else if (count == 0 || errno != EAGAIN) {
        close_connection(connection);
    }
}

static void handle(struct connection *connection, uint32_t events) {
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
        close_connection(connection);
        return;
    }
    if (events & EPOLLOUT) {
        watch(connection, false);
        if (!flush(connection)) {
            return;
        }
        if (connection->output_length == 0 && connection->busy && connection->heap_index < 0) {
            schedule(connection, connection->due);
        } else if (connection->output_length == 0 && !take_requests(connection)) {
            return;
        }
    }
    if (events & EPOLLIN) {
        readable(connection);
    }
}

static void accept_all(int listener) {
    for (int i = 0; i < 256; i++) {
        int descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (descriptor < 0) {
            if (errno == EMFILE || errno == ENFILE) {
                fail("upstream: out of file descriptors; raise `ulimit -n`");
            }
            return;
        }
        struct connection *connection = calloc(1, sizeof *connection);
        if (!connection || descriptor >= MOST_DESCRIPTORS) {
            fail("upstream: too many connections");
        }
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        *connection = (struct connection){.descriptor = descriptor, .heap_index = -1, .last_active = now_ns()};
        connections[descriptor] = connection;
        struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = connection};
        epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event);
    }
}

/* One chunk per stream and turn, each a write of its own, as an engine writes its tokens. */
static void write_due_chunks(void) {
    uint64_t turn = now_ns();
    struct connection *connection;
    while ((connection = earliest()) && connection->due <= turn) {
        unschedule(connection);
        next_chunk(connection);
        if (!flush(connection)) {
            continue;
        }
        if (connection->output_length > 0) {
            continue; /* A slow reader: its stream goes on when the socket takes more. */
        }
        if (connection->busy) {
            schedule(connection, connection->due > turn ? connection->due : turn + 1);
        } else {
            take_requests(connection);
        }
    }
}

static void close_forgotten(void) {
    uint64_t now = now_ns();
    for (int i = 0; i < MOST_DESCRIPTORS; i++) {
        if (connections[i] && connections[i]->heap_index < 0 && now - connections[i]->last_active > IDLE_LIMIT) {
            close_connection(connections[i]);
        }
    }
}

static int wait_limit(void) {
    struct connection *next = earliest();
    if (!next) {
        return 1000;
    }
    if (next->due <= now_ns()) {
        return 0;
    }
    /* epoll_wait counts whole milliseconds, a timer nanoseconds. */
    if (next->due != timer_due) {
        timer_due = next->due;
        struct itimerspec when = {.it_value = {(time_t)(timer_due / SECOND), (long)(timer_due % SECOND)}};
        timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL);
    }
    return 1000;
}

static void read_arguments(int count, char **words) {
    for (int i = 1; i + 1 < count; i++) {
        char *value = words[i + 1];
        if (!strcmp(words[i], "--port")) {
            port = strtol(value, NULL, 10);
        } else if (!strcmp(words[i], "--host")) {
            host = value;
        } else if (!strcmp(words[i], "--alias")) {
            identity.alias = value;
        } else if (!strcmp(words[i], "--model")) {
            identity.model_path = value;
        } else if (!strcmp(words[i], "--ctx-size")) {
            identity.context = strtol(value, NULL, 10);
        } else if (!strcmp(words[i], "--parallel")) {
            identity.parallel = strtol(value, NULL, 10);
        }
    }
    if (port < 1 || port > 65535 || identity.parallel < 1) {
        fail("upstream: --port is 1 to 65535 and --parallel at least 1");
    }
}

int main(int count, char **words) {
    read_arguments(count, words);
    raise_descriptor_limit();
    signal(SIGPIPE, SIG_IGN);
    prepare_script();
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1) {
        fail("upstream: --host must be an IPv4 address, not '%s'", host);
    }
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 4096) != 0) {
        fail("upstream: cannot listen on %s:%ld: %s", host, port, strerror(errno));
    }
    reporter = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    poller = epoll_create1(EPOLL_CLOEXEC);
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &(struct epoll_event){.events = EPOLLIN, .data.ptr = &listener});
    epoll_ctl(poller, EPOLL_CTL_ADD, timer, &(struct epoll_event){.events = EPOLLIN, .data.ptr = &timer});
    printf("upstream: listening on %s:%ld\n", host, port);
    fflush(stdout);
    uint64_t next_sweep = now_ns() + SECOND;
    for (;;) {
        struct epoll_event events[EVENTS];
        int ready = epoll_wait(poller, events, EVENTS, wait_limit());
        for (int i = 0; i < ready; i++) {
            if (events[i].data.ptr == &listener) {
                accept_all(listener);
            } else if (events[i].data.ptr == &timer) {
                uint64_t expirations;
                if (read(timer, &expirations, sizeof expirations) < 0 && errno != EAGAIN) {
                    fail("upstream: the timer broke: %s", strerror(errno));
                }
            } else {
                handle(events[i].data.ptr, events[i].events);
            }
        }
        write_due_chunks();
        if (now_ns() > next_sweep) {
            close_forgotten();
            next_sweep = now_ns() + 5 * SECOND;
        }
    }
}
