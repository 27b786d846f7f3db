/* Reads one HTTP/1.1 answer from bytes as they come and checks that it is whole. */
#ifndef ANSWER_H
#define ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum answer_state { HEAD, SIZED_BODY, CHUNK_SIZE, CHUNK_DATA, CHUNK_END, TRAILER, FINISHED, MALFORMED };

struct answer {
    enum answer_state state;
    int status;
    bool keep_alive, chunked, event_stream, has_length;
    uint64_t remaining;
    char line[512]; /* of the head, a chunk's size or a trailer */
    size_t line_length;
    char text[2048]; /* a line of an event stream, or a whole JSON body */
    size_t text_length;
    int chunks; /* stamped events seen, in order and without a gap */
    bool out_of_order, done;
};

/* Called per stamped event with the upstream's stamp. */
typedef void chunk_listener(void *context, uint64_t stamp);

void answer_begin(struct answer *answer);

/* Takes bytes until the answer is FINISHED or MALFORMED, or they are used up. */
void answer_feed(struct answer *answer, const char *bytes, size_t length, chunk_listener *listener, void *context);

/* NULL for a whole and right answer, else what is wrong with it. */
const char *answer_fault(const struct answer *answer, bool streamed, int expected_chunks);

#endif
