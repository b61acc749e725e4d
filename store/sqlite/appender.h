/* Decides and stores submits, inside the transaction of a group. Knows nothing of threads,
 * queues or completion.
 * Thread: the writer's, which owns it. */
#ifndef HL_STORE_SQLITE_APPENDER_H
#define HL_STORE_SQLITE_APPENDER_H

#include "store/log.h"
#include "store/sqlite/cache.h"
#include "store/sqlite/file.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/sealer.h"

struct hl_sqlite_appender {
    sqlite3 *db; /* lent */
    uint8_t chain_key[HL_CHAIN_KEY_SIZE];
    uint8_t tag_key[HL_HASH_KEY_SIZE];
    uint64_t position;          /* last one given */
    uint64_t number;            /* last conversation made */
    struct hl_chain last_chain; /* of the entry at position, if this process stored it */
    uint64_t began_position, began_number;
    bool broken; /* since begin: what was changed is incomplete, roll back */
    struct hl_sqlite_cache cache;
    struct hl_sqlite_sealer sealer;
    sqlite3_stmt *begin, *seal, *commit, *rollback;
    sqlite3_stmt *insert_entry, *insert_block, *insert_conversation, *update_conversation,
        *raise_mark;
    sqlite3_stmt *find_conversation, *find_reference, *list_blocks, *list_tail, *find_entry,
        *find_foreign;
};

/* 0, -errno; fini in either case. */
int hl_sqlite_appender_init(struct hl_sqlite_appender *appender, sqlite3 *db,
                            const uint8_t chain_key[HL_CHAIN_KEY_SIZE],
                            const uint8_t region_key[HL_SEAL_KEY_SIZE],
                            const struct hl_sqlite_meta *meta);
void hl_sqlite_appender_fini(struct hl_sqlite_appender *appender); /* accepts a zeroed one */

/* A group: begin, then submits and marks, then commit; or roll_back, which makes it as if
 * nothing had happened. Each: 0, -errno. */
int hl_sqlite_appender_begin(struct hl_sqlite_appender *appender);
int hl_sqlite_appender_commit(struct hl_sqlite_appender *appender);
void hl_sqlite_appender_roll_back(struct hl_sqlite_appender *appender);

/* Fills the submit's out fields. `full`: nothing new may be stored. The results of log.h; a
 * negative one concerns the submit alone unless the appender is broken. */
int hl_sqlite_appender_submit(struct hl_sqlite_appender *appender, struct hl_log_submit *submit,
                              int64_t wall_ms, bool full);

/* A mark of a conversation that does not exist changes nothing. */
int hl_sqlite_appender_mark(struct hl_sqlite_appender *appender, const struct hl_log_mark *mark,
                            int64_t wall_ms);

#endif
