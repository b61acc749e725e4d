/* The engine for one machine: SQLite in WAL mode with synchronous=FULL, one writer thread
 * with group commit, reader threads with connections of their own. See docs/internals/store.md. */
#ifndef HL_STORE_LOG_SQLITE_H
#define HL_STORE_LOG_SQLITE_H

#include "base/clock.h"
#include "store/log.h"

enum {
    HL_LOG_SQLITE_SCHEMA_NEWER = 1, /* written by a newer holdline: refuse to start */
    HL_LOG_SQLITE_LOCKED,           /* another process serves this data folder */
    HL_LOG_SQLITE_NOT_A_LOG,        /* the file is something else, or damaged */
    HL_LOG_SQLITE_WITHOUT_KEYS,     /* a backup: it needs its keys, see hl_restore */
};

struct hl_log_sqlite_config {
    const char *path; /* DATA/holdline.db; made if missing */
    const char *vfs;  /* NULL: SQLite's default; tests give a faulty one */
    const struct hl_clock *clock;
    const uint8_t *chain_key;     /* 32 bytes; copied */
    const uint8_t *region_key;    /* 32 bytes, lent until closed: wraps the conversations' keys */
    uint64_t queue_max;           /* submits waiting before HL_LOG_BUSY; 0: 65536 */
    uint32_t group_max;           /* submits per transaction; 0: 1024 */
    uint32_t n_readers;           /* 0: 1 */
    uint32_t wal_pages_max;       /* the write-ahead log begins again after so many; 0: 16384 */
    uint64_t disk_free_min;       /* bytes; below: submits get HL_LOG_FULL ahead of time */
    void (*on_failed)(void *arg); /* writer thread: outcome of a commit is unknown; may be NULL */
    void *arg;
};

/* Blocks (recovery, migration). 0, an outcome above, -errno. `why` (may be NULL) gets one line
 * of English for the operator. */
int hl_log_sqlite_open(const struct hl_log_sqlite_config *config, char *why, size_t why_size,
                       struct hl_log **out_log);

#endif
