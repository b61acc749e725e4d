/* What file.c, change.c and takeover.c share. */
#ifndef HL_STORE_DIRECTORY_FILE_STATE_H
#define HL_STORE_DIRECTORY_FILE_STATE_H

#include "store/directory/file.h"
#include "store/sqlite/file.h"

struct hl_directory_file {
    sqlite3 *db;
    const struct hl_random *random;
};

/* One statement with its values, for a transaction that has begun. */
struct hl_directory_row {
    enum hl_record_kind kind;
    const char *id;
    const char *site;
    const char *label; /* empty: none */
    struct hl_bytes document;
    struct hl_bytes secret;
    int64_t created_ms;
    bool is_retired;
    bool if_missing; /* one that is there stays as it is */
};
/* 0, -EEXIST (id or label), -errno. */
int hl_directory_file_insert(struct hl_directory_file *file, const struct hl_directory_row *row);

#endif
