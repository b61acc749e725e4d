#include "store/key_file.h"

#include <unistd.h>

#include "base/check.h"
#include "base/result.h"
#include "store/seal.h"
#include "store/sqlite/file.h"

enum { APPLICATION_ID = 0x686c6b66 /* "hlkf" */, KEYS_SINCE_SCHEMA = 3 };

static const char schema[] =
    "CREATE TABLE region (fingerprint BLOB) STRICT;"
    "CREATE TABLE keys (conversation BLOB PRIMARY KEY, wrapped BLOB NOT NULL) STRICT, WITHOUT "
    "ROWID;";

static struct hl_bytes bytes_of(const uint8_t *data, size_t size)
{
    return (struct hl_bytes){(const char *)data, size};
}

/* One value and perhaps a second from one connection into a statement of another. */
static int copy_rows(sqlite3 *from, const char *select, sqlite3 *to, const char *insert)
{
    sqlite3_stmt *rows = NULL;
    sqlite3_stmt *into = NULL;
    int r = hl_sqlite_prepare(from, select, &rows);

    if (r == 0)
        r = hl_sqlite_prepare(to, insert, &into);
    while (r == 0 && (r = hl_sqlite_step(rows)) == 0) {
        for (int i = 0; i < sqlite3_column_count(rows); i++)
            hl_sqlite_bind_blob(into, i + 1, hl_sqlite_column_bytes(rows, i));
        r = hl_sqlite_finish(into);
    }
    (void)sqlite3_finalize(rows);
    (void)sqlite3_finalize(into);
    return r == HL_SQLITE_NO_ROW ? 0 : r;
}

/* A log of an older schema has no keys: the file is there and empty. */
static int has_keys(sqlite3 *log, bool *out_has)
{
    int64_t version = 0;
    int r = hl_sqlite_query_integer(log, "PRAGMA user_version", &version);

    *out_has = version >= KEYS_SINCE_SCHEMA;
    return r;
}

static int fill_file(sqlite3 *log, sqlite3 *file)
{
    bool has = false;
    int r = hl_sqlite_run(file, "PRAGMA journal_mode = MEMORY; PRAGMA application_id = 1751935846;"
                                "BEGIN");

    _Static_assert(APPLICATION_ID == 1751935846, "as in the statement");
    if (r == 0)
        r = hl_sqlite_run(file, schema);
    if (r == 0)
        r = has_keys(log, &has);
    if (r == 0 && has)
        r = copy_rows(log, "SELECT region FROM meta", file, "INSERT INTO region VALUES (?1)");
    if (r == 0 && has)
        r = copy_rows(log,
                      "SELECT c.id, k.wrapped FROM conversations c "
                      "JOIN conversation_keys k ON k.number = c.key",
                      file, "INSERT INTO keys VALUES (?1, ?2)");
    return r == 0 ? hl_sqlite_run(file, "COMMIT") : r;
}

int hl_key_file_write(const char *path, const char *target)
{
    sqlite3 *log = NULL;
    sqlite3 *file = NULL;

    if (access(target, F_OK) == 0)
        return -EEXIST;
    int r = hl_sqlite_file_open(path, NULL, HL_SQLITE_READ, &log);
    if (r == 0)
        r = hl_sqlite_file_make(target);
    if (r == 0)
        r = hl_sqlite_file_open(target, NULL, HL_SQLITE_WRITE, &file);
    if (r == 0)
        r = fill_file(log, file);
    hl_sqlite_file_close(file);
    hl_sqlite_file_close(log);
    if (r != 0)
        (void)unlink(target);
    return r;
}

/* Overwritten where they stand, and no journal keeps what they were. */
int hl_key_file_strip(sqlite3 *copy)
{
    sqlite3_stmt *strip = NULL;
    bool has = false;
    int r = has_keys(copy, &has);

    if (r != 0 || !has)
        return r;
    r = hl_sqlite_run(copy, "PRAGMA journal_mode = MEMORY; PRAGMA secure_delete = ON");
    if (r == 0)
        r = hl_sqlite_prepare(copy, "UPDATE conversation_keys SET wrapped = ?1 WHERE wrapped <> ?2",
                              &strip);
    if (r == 0) {
        hl_sqlite_bind_blob(strip, 1, bytes_of(hl_seal_elsewhere, HL_SEAL_WRAPPED_SIZE));
        hl_sqlite_bind_blob(strip, 2, bytes_of(hl_seal_destroyed, HL_SEAL_WRAPPED_SIZE));
        r = hl_sqlite_finish(strip);
    }
    (void)sqlite3_finalize(strip);
    return r == 0 ? hl_sqlite_run(copy, "UPDATE meta SET region = X'00'") : r;
}

int hl_key_file_is_needed(sqlite3 *log, int *out_is_needed)
{
    int64_t size = 0;
    bool has = false;
    int r = has_keys(log, &has);

    if (r == 0 && has)
        r = hl_sqlite_query_integer(log, "SELECT length(region) FROM meta", &size);
    *out_is_needed = size == 1;
    return r;
}

/* Every conversation that had a key must find it, or that it was destroyed. */
static int check_missing(sqlite3 *copy)
{
    sqlite3_stmt *count = NULL;
    int r = hl_sqlite_prepare(copy, "SELECT count(*) FROM conversation_keys WHERE wrapped = ?1",
                              &count);

    if (r == 0) {
        hl_sqlite_bind_blob(count, 1, bytes_of(hl_seal_elsewhere, HL_SEAL_WRAPPED_SIZE));
        r = hl_sqlite_step(count);
    }
    if (r == 0 && sqlite3_column_int64(count, 0) > 0)
        r = HL_KEY_FILE_TOO_OLD;
    (void)sqlite3_finalize(count);
    return r;
}

int hl_key_file_apply(sqlite3 *copy, const char *path)
{
    int64_t application = 0;
    sqlite3 *file = NULL;
    int r = hl_sqlite_file_open(path, NULL, HL_SQLITE_READ, &file);

    if (r == 0)
        r = hl_sqlite_query_integer(file, "PRAGMA application_id", &application);
    if (r == -EBADMSG || (r == 0 && application != APPLICATION_ID))
        r = HL_KEY_FILE_FOREIGN;
    if (r == 0)
        r = hl_sqlite_run(copy, "PRAGMA journal_mode = MEMORY; BEGIN");
    if (r == 0)
        r = copy_rows(file, "SELECT conversation, wrapped FROM keys", copy,
                      "UPDATE conversation_keys SET wrapped = ?2 WHERE number = "
                      "(SELECT key FROM conversations WHERE id = ?1)");
    if (r == 0)
        r = copy_rows(file, "SELECT fingerprint FROM region", copy, "UPDATE meta SET region = ?1");
    if (r == 0)
        r = check_missing(copy);
    if (r == 0)
        r = hl_sqlite_run(copy, "COMMIT");
    hl_sqlite_file_close(file);
    return r;
}
