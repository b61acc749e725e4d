/* The tables of an index file. A file that is not exactly of this version, or not of this log,
 * is thrown away: there is nothing to migrate in a projection.
 * Thread: that of the connection. */
#ifndef HL_STORE_INDEX_SCHEMA_H
#define HL_STORE_INDEX_SCHEMA_H

#include "store/sqlite/file.h"

enum { HL_INDEX_APPLICATION_ID = 0x686c6978 /* "hlix" */, HL_INDEX_SCHEMA_VERSION = 1 };

/* The rows of the table of texts stand in order of conversation and offset. */
enum { HL_INDEX_OFFSET_BITS = 23 };

enum { HL_INDEX_FILE_STALE = 1 };

/* Opens the file for the projector; an empty one gets its tables. `out_position` is what has
 * been applied. 0; HL_INDEX_FILE_STALE: of another version, of another epoch, damaged, or
 * something else; -errno. *out_db is NULL unless 0. */
int hl_index_file_open(const char *path, uint64_t epoch, sqlite3 **out_db, uint64_t *out_position);
/* All statements were finalised; those of FTS5 are its own to finalise. Accepts NULL. */
void hl_index_file_close(sqlite3 *db);
/* Takes the file and SQLite's companions away. 0 (also if there is none), -errno. */
int hl_index_file_remove(const char *path);

#endif
