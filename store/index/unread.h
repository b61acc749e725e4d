/* How much of what visitors wrote an agent has not read: what stands behind the agent's own last
 * entry and read position. Read positions are the log's and asked of it.
 * Thread: a reader's, which blocks for the log. */
#ifndef HL_STORE_INDEX_UNREAD_H
#define HL_STORE_INDEX_UNREAD_H

#include "store/index.h"
#include "store/index/wait_loop.h"
#include "store/sqlite/file.h"

struct hl_index_unread {
    sqlite3 *db; /* lent */
    struct hl_log *log;
    struct hl_wait_loop *loop;
    sqlite3_stmt *voice, *count;
};

/* 0, -errno; fini in either case. */
int hl_index_unread_init(struct hl_index_unread *unread, sqlite3 *db, struct hl_log *log,
                         struct hl_wait_loop *loop);
void hl_index_unread_fini(struct hl_index_unread *unread); /* accepts a zeroed one */
/* Sets items[].unread. A position that the log does not tell counts as none. 0, -errno. */
int hl_index_unread_fill(struct hl_index_unread *unread, const struct hl_id *agent,
                         struct hl_index_conversation *items, const uint64_t *numbers,
                         size_t n_items);

#endif
