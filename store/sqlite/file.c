#include "store/sqlite/file.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/result.h"

enum { BUSY_MS = 5000 };

int hl_sqlite_error(int rc)
{
    if (rc == SQLITE_IOERR_NOMEM)
        return -ENOMEM;
    switch (rc & 0xff) {
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_CONSTRAINT:
        return -EEXIST;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return -EBADMSG;
    case SQLITE_READONLY:
        return -EROFS;
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return -EACCES;
    case SQLITE_CANTOPEN:
        return -ENOENT;
    default:
        return -EIO;
    }
}

int hl_sqlite_file_open(const char *path, const char *vfs, enum hl_sqlite_access access,
                        sqlite3 **out_db)
{
    static const int flags[] = {
        [HL_SQLITE_CREATE] = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
        [HL_SQLITE_WRITE] = SQLITE_OPEN_READWRITE,
        [HL_SQLITE_READ] = SQLITE_OPEN_READONLY,
    };
    sqlite3 *db = NULL;
    int rc = sqlite3_open_v2(path, &db, flags[access] | SQLITE_OPEN_NOMUTEX, vfs);

    if (rc == SQLITE_OK)
        rc = sqlite3_extended_result_codes(db, 1);
    if (rc == SQLITE_OK)
        rc = sqlite3_busy_timeout(db, BUSY_MS);
    if (rc == SQLITE_OK)
        rc = sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    if (rc == SQLITE_OK) /* a file that somebody prepared runs nothing of its own */
        rc = sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    if (rc != SQLITE_OK) {
        hl_sqlite_file_close(db);
        db = NULL;
    }
    *out_db = db;
    return rc == SQLITE_OK ? 0 : hl_sqlite_error(rc);
}

int hl_sqlite_file_make(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0)
        return -errno;
    (void)close(fd);
    return 0;
}

void hl_sqlite_file_close(sqlite3 *db)
{
    if (db == NULL)
        return;
    for (sqlite3_stmt *at = NULL; (at = sqlite3_next_stmt(db, NULL)) != NULL;)
        (void)sqlite3_finalize(at);
    HL_CHECK(sqlite3_close(db) == SQLITE_OK);
}

int hl_sqlite_run(sqlite3 *db, const char *sql)
{
    int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);

    return rc == SQLITE_OK ? 0 : hl_sqlite_error(rc);
}

int hl_sqlite_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **out_statement)
{
    int rc = sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, out_statement, NULL);

    return rc == SQLITE_OK ? 0 : hl_sqlite_error(rc);
}

int hl_sqlite_query_integer(sqlite3 *db, const char *sql, int64_t *out_value)
{
    sqlite3_stmt *statement = NULL;
    int r = hl_sqlite_prepare(db, sql, &statement);

    if (r == 0)
        r = hl_sqlite_step(statement);
    *out_value = r == 0 ? sqlite3_column_int64(statement, 0) : 0;
    (void)sqlite3_finalize(statement);
    return r == HL_SQLITE_NO_ROW ? 0 : r;
}

int hl_sqlite_finish(sqlite3_stmt *statement)
{
    int r = hl_sqlite_step(statement);

    HL_CHECK(r != 0); /* a row where there can be none */
    return r == HL_SQLITE_NO_ROW ? 0 : r;
}

int hl_sqlite_step(sqlite3_stmt *statement)
{
    int rc = sqlite3_step(statement);

    if (rc == SQLITE_ROW)
        return 0;
    int again = sqlite3_reset(statement);
    if (rc == SQLITE_DONE)
        return HL_SQLITE_NO_ROW;
    return hl_sqlite_error(again != SQLITE_OK ? again : rc);
}

void hl_sqlite_bind_integer(sqlite3_stmt *statement, int index, int64_t value)
{
    HL_CHECK(sqlite3_bind_int64(statement, index, value) == SQLITE_OK);
}

void hl_sqlite_bind_id(sqlite3_stmt *statement, int index, const struct hl_id *id)
{
    int rc = hl_id_is_zero(id)
                 ? sqlite3_bind_null(statement, index)
                 : sqlite3_bind_blob(statement, index, id->b, sizeof(id->b), SQLITE_STATIC);

    HL_CHECK(rc == SQLITE_OK);
}

/* A lent value is never copied, so that binding it cannot run out of memory. */
void hl_sqlite_bind_blob(sqlite3_stmt *statement, int index, struct hl_bytes bytes)
{
    const char *data = bytes.size == 0 ? "" : bytes.data;

    HL_CHECK(sqlite3_bind_blob64(statement, index, data, bytes.size, SQLITE_STATIC) == SQLITE_OK);
}

void hl_sqlite_bind_text(sqlite3_stmt *statement, int index, struct hl_bytes text)
{
    const char *data = text.size == 0 ? "" : text.data;

    HL_CHECK(sqlite3_bind_text64(statement, index, data, text.size, SQLITE_STATIC, SQLITE_UTF8) ==
             SQLITE_OK);
}

struct hl_bytes hl_sqlite_column_bytes(sqlite3_stmt *statement, int column)
{
    const char *data = sqlite3_column_blob(statement, column);

    return (struct hl_bytes){.data = data, .size = (size_t)sqlite3_column_bytes(statement, column)};
}

bool hl_sqlite_column_id(sqlite3_stmt *statement, int column, struct hl_id *out_id)
{
    struct hl_bytes bytes = hl_sqlite_column_bytes(statement, column);

    *out_id = (struct hl_id){{0}};
    if (bytes.size == 0)
        return true;
    if (bytes.size != sizeof(out_id->b))
        return false;
    memcpy(out_id->b, bytes.data, sizeof(out_id->b));
    return true;
}
