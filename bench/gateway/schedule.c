/* Connections whose next chunk is due at some time: a binary heap, the earliest on top. */
#include "upstream.h"

static struct connection *heap[MOST_DESCRIPTORS];
static int heap_size;

static void heap_place(int index, struct connection *connection) {
    heap[index] = connection;
    connection->heap_index = index;
}

static void heap_up(int index, struct connection *connection) {
    while (index > 0 && heap[(index - 1) / 2]->due > connection->due) {
        heap_place(index, heap[(index - 1) / 2]);
        index = (index - 1) / 2;
    }
    heap_place(index, connection);
}

void schedule(struct connection *connection, uint64_t due) {
    connection->due = due;
    heap_up(heap_size++, connection);
}

void unschedule(struct connection *connection) {
    int index = connection->heap_index;
    if (index < 0) {
        return;
    }
    connection->heap_index = -1;
    struct connection *moved = heap[--heap_size];
    if (moved == connection) {
        return;
    }
    while (2 * index + 1 < heap_size) {
        int child = 2 * index + 1;
        if (child + 1 < heap_size && heap[child + 1]->due < heap[child]->due) {
            child++;
        }
        if (heap[child]->due >= moved->due) {
            break;
        }
        heap_place(index, heap[child]);
        index = child;
    }
    heap_up(index, moved);
}

struct connection *earliest(void) { return heap_size > 0 ? heap[0] : NULL; }
