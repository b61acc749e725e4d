/* The checkpoint thread: moves what was committed from the write-ahead log into the data file,
 * so that no commit ever has to. Pages are copied while the writer goes on; only when the log
 * passes its hard bound does the writer wait while the last of them are copied, and the log
 * starts again from its beginning.
 * Thread: one makes, starts and stops it; its commit hook runs on the writer's. */
#ifndef HL_STORE_SQLITE_CHECKPOINTER_H
#define HL_STORE_SQLITE_CHECKPOINTER_H

#include "store/sqlite/writer.h"

struct hl_sqlite_checkpointer;

/* Counts the commits of a connection that nobody uses yet. db is the checkpointer's own
 * connection. Both are lent until destroy. The bound of the log is in pages; at every quarter
 * of it pages are copied. 0, -ENOMEM. */
int hl_sqlite_checkpointer_create(sqlite3 *db, sqlite3 *writer_db, uint32_t pages_max,
                                  struct hl_sqlite_checkpointer **out_checkpointer);
/* After the writer was stopped. Accepts NULL. */
void hl_sqlite_checkpointer_destroy(struct hl_sqlite_checkpointer *checkpointer);

/* The thread: while the writer runs. 0, -errno. */
int hl_sqlite_checkpointer_start(struct hl_sqlite_checkpointer *checkpointer,
                                 struct hl_sqlite_writer *writer);
void hl_sqlite_checkpointer_stop(
    struct hl_sqlite_checkpointer *checkpointer); /* if it was started */

/* Empties the write-ahead log as soon as no reader is in the way: no bytes of a destroyed key
 * stay in the files. Any thread; at once. */
void hl_sqlite_checkpointer_sweep(struct hl_sqlite_checkpointer *checkpointer);
bool hl_sqlite_checkpointer_is_sweeping(struct hl_sqlite_checkpointer *checkpointer);

uint64_t hl_sqlite_checkpointer_wal_bytes(const struct hl_sqlite_checkpointer *checkpointer);

#endif
