/* A connection to a data file, and SQLite's results in the words of this project.
 * Thread: a connection and its statements belong to one thread at a time. */
#ifndef HL_STORE_SQLITE_FILE_H
#define HL_STORE_SQLITE_FILE_H

#include <stdbool.h>

#include <sqlite3.h>

#include "base/bytes.h"
#include "base/id.h"

enum hl_sqlite_access { HL_SQLITE_CREATE, HL_SQLITE_WRITE, HL_SQLITE_READ };

/* Opens, sets the time to wait for locks and keeps a close from checkpointing behind our back.
 * vfs may be NULL. 0, -errno; *out_db is NULL unless 0. */
int hl_sqlite_file_open(const char *path, const char *vfs, enum hl_sqlite_access access,
                        sqlite3 **out_db);
/* Makes an empty file that only its owner may read, as SQLite's companions of it will be; an
 * existing one is left as it is. Before the process has opened the file: closing it here would
 * drop SQLite's locks. 0, -errno. */
int hl_sqlite_file_make(const char *path);
void hl_sqlite_file_close(sqlite3 *db); /* accepts NULL; its statements are finalised */

/* -errno of a result code that is neither OK, ROW nor DONE. */
int hl_sqlite_error(int rc);

/* Each: 0, -errno. */
int hl_sqlite_run(sqlite3 *db, const char *sql);
int hl_sqlite_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **out_statement);
int hl_sqlite_query_integer(sqlite3 *db, const char *sql, int64_t *out_value); /* NULL: 0 */

/* Steps a statement that gives no row, and resets it. 0, -errno; a broken constraint is
 * -EEXIST. */
int hl_sqlite_finish(sqlite3_stmt *statement);

/* Steps to a row. 0; HL_SQLITE_NO_ROW: it is reset; -errno: it is reset. */
enum { HL_SQLITE_NO_ROW = 1 };
int hl_sqlite_step(sqlite3_stmt *statement);

/* Values are lent to the statement until it is reset. A zero id is bound as NULL. */
void hl_sqlite_bind_integer(sqlite3_stmt *statement, int index, int64_t value);
void hl_sqlite_bind_id(sqlite3_stmt *statement, int index, const struct hl_id *id);
void hl_sqlite_bind_blob(sqlite3_stmt *statement, int index, struct hl_bytes bytes);
void hl_sqlite_bind_text(sqlite3_stmt *statement, int index, struct hl_bytes text);

/* Until the next step or reset. */
struct hl_bytes hl_sqlite_column_bytes(sqlite3_stmt *statement, int column);
/* NULL is the zero id. False if it is anything but 16 bytes. */
bool hl_sqlite_column_id(sqlite3_stmt *statement, int column, struct hl_id *out_id);

#endif
