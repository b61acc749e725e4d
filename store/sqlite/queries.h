/* Reads of a data file: what each request of log.h gets out of it, in one short transaction.
 * Thread: that of the connection. */
#ifndef HL_STORE_SQLITE_QUERIES_H
#define HL_STORE_SQLITE_QUERIES_H

#include "store/log.h"
#include "store/seal.h"
#include "store/sqlite/file.h"

struct hl_sqlite_queries {
    sqlite3 *db;
    uint64_t epoch;
    const uint8_t *region_key; /* lent */
    sqlite3_stmt *begin, *commit;
    sqlite3_stmt *by_id, *by_reference;
    sqlite3_stmt *page_forward, *page_backward, *scan, *head, *marks;
};

/* 0, -errno. The statements go with their connection. */
int hl_sqlite_queries_init(struct hl_sqlite_queries *queries, sqlite3 *db, uint64_t epoch,
                           const uint8_t region_key[HL_SEAL_KEY_SIZE]);

/* Each: the results of log.h for its request; out fields are set if 0. */
int hl_sqlite_queries_read(struct hl_sqlite_queries *queries, struct hl_log_read *read);
int hl_sqlite_queries_scan(struct hl_sqlite_queries *queries, struct hl_log_scan *scan);
int hl_sqlite_queries_find(struct hl_sqlite_queries *queries, struct hl_log_find *find);
int hl_sqlite_queries_marks(struct hl_sqlite_queries *queries, struct hl_log_marks *marks);

#endif
