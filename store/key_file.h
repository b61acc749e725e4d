/* The side file of a backup: the wrapped keys of the conversations, which the copy of the log
 * itself does not hold. Only the newest is worth keeping: an older one brings back what was
 * erased since.
 * Thread: the caller's. */
#ifndef HL_STORE_KEY_FILE_H
#define HL_STORE_KEY_FILE_H

#include <sqlite3.h>

/* Writes the keys of the log at `path`, which may be in use, to a new file. 0, -EEXIST, -errno. */
int hl_key_file_write(const char *path, const char *target);

/* Takes the keys out of a copy of a log. 0, -errno. */
int hl_key_file_strip(sqlite3 *copy);
/* Whether the keys were taken out of this log. 0, -errno. */
int hl_key_file_is_needed(sqlite3 *log, int *out_is_needed);
/* Puts them back from the file. 0, HL_KEY_FILE_…, -errno. */
enum { HL_KEY_FILE_TOO_OLD = 1, HL_KEY_FILE_FOREIGN };
int hl_key_file_apply(sqlite3 *copy, const char *path);

#endif
