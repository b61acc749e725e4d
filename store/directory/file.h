/* The file of the directory, on SQLite: its schema, one change as one transaction, and reading
 * it all. In WAL mode: who reads never waits for who writes, in this process or another.
 * Thread: one at a time per struct. */
#ifndef HL_STORE_DIRECTORY_FILE_H
#define HL_STORE_DIRECTORY_FILE_H

#include "store/directory.h"

struct hl_directory_file;

/* Makes the file if it is missing, brings an older schema up to date.
 * 0, HL_DIRECTORY_NEWER, HL_DIRECTORY_NO_DIRECTORY, -errno. */
int hl_directory_file_open(const char *path, const struct hl_random *random,
                           struct hl_directory_file **out_file);
void hl_directory_file_close(struct hl_directory_file *file); /* accepts NULL */

/* Another number after another connection committed. 0, -errno. */
int hl_directory_file_version(struct hl_directory_file *file, int64_t *out_version);
/* All but jobs, in one read transaction. 0, -EBADMSG (a damaged record), -errno. */
int hl_directory_file_load(struct hl_directory_file *file, uint64_t version,
                           struct hl_directory_snapshot **out_snapshot);
/* As hl_directory_apply and hl_directory_look. */
int hl_directory_file_apply(struct hl_directory_file *file, struct hl_directory_change *change);
int hl_directory_file_look(struct hl_directory_file *file, struct hl_directory_query *query);

/* Takes over the keys.db of an older holdline, if it is there, and renames it. May be repeated,
 * and be cut off anywhere. 0, HL_DIRECTORY_NO_DIRECTORY, -errno. */
int hl_directory_file_take_over(struct hl_directory_file *file, const char *keys_path);

struct hl_key_use {
    struct hl_id key;
    int64_t used_ms;
};
int hl_directory_file_save_uses(struct hl_directory_file *file, const struct hl_key_use *uses,
                                size_t n_uses); /* 0, -errno */
int hl_directory_file_load_uses(struct hl_directory_file *file, struct hl_key_use *uses,
                                size_t n_max, size_t *out_n_uses); /* 0, -errno */

#endif
