/* Threads that answer reads of the index, each with a connection of its own.
 * Thread: start and stop on one. */
#ifndef HL_STORE_INDEX_READER_H
#define HL_STORE_INDEX_READER_H

#include "store/index.h"

enum { HL_INDEX_READERS_MAX = 16 };

enum hl_index_read_kind {
    HL_INDEX_READ_LIST,
    HL_INDEX_READ_GET,
    HL_INDEX_READ_CONTACTS,
    HL_INDEX_READ_PERSON,
    HL_INDEX_READ_TAGS,
    HL_INDEX_READ_QUEUE
};

struct hl_index_readers;

struct hl_index_readers_config {
    const char *path;
    struct hl_log *log;
    uint32_t n_readers; /* 1 … HL_INDEX_READERS_MAX */
    /* The next read to answer, waited for, and which file it is to be read from; NULL: stop. */
    struct hl_index_read *(*take)(void *arg, uint64_t *out_generation);
    /* It is answered. */
    void (*give_back)(void *arg, struct hl_index_read *read, int r);
    void (*on_damage)(void *arg);
    void *arg;
};

/* 0, -errno. */
int hl_index_readers_start(const struct hl_index_readers_config *config,
                           struct hl_index_readers **out_readers);
/* After take() says NULL to all. Accepts NULL. */
void hl_index_readers_stop(struct hl_index_readers *readers);

#endif
