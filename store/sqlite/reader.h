/* Reader threads: each serves requests from one bounded queue with a connection of its own,
 * off the loops and beside the writer.
 * Thread: start and stop on one; requests from any. */
#ifndef HL_STORE_SQLITE_READER_H
#define HL_STORE_SQLITE_READER_H

#include "store/sqlite/queries.h"
#include "store/sqlite/writer.h"

enum { HL_SQLITE_READERS_MAX = 16 };

struct hl_sqlite_readers;

struct hl_sqlite_readers_config {
    const char *path;
    const char *vfs;
    uint64_t epoch;
    const uint8_t *region_key; /* lent until stop */
    uint32_t n_readers;        /* 1 … HL_SQLITE_READERS_MAX */
    uint64_t queue_max;
    struct hl_sqlite_writer *writer; /* knows the marks that wait; outlives the readers */
};

/* 0, -errno. */
int hl_sqlite_readers_start(const struct hl_sqlite_readers_config *config,
                            struct hl_sqlite_readers **out_readers);
/* Serves what was taken, ends the threads, frees. Accepts NULL. */
void hl_sqlite_readers_stop(struct hl_sqlite_readers *readers);

enum hl_sqlite_read_kind {
    HL_SQLITE_READ_PAGE,
    HL_SQLITE_READ_SCAN,
    HL_SQLITE_READ_FIND,
    HL_SQLITE_READ_MARKS
};

/* Takes a request of log.h of that kind. 0, HL_LOG_BUSY, HL_LOG_CLOSED. */
int hl_sqlite_readers_take(struct hl_sqlite_readers *readers, enum hl_sqlite_read_kind kind,
                           struct hl_loop *loop, void *request);

uint64_t hl_sqlite_readers_served(struct hl_sqlite_readers *readers);

#endif
