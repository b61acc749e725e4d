#include "store/index/schema.h"

#include <stdio.h>
#include <unistd.h>

#include "base/check.h"
#include "base/result.h"

enum { PATH_SIZE_MAX = 4096 };

/* `number` is the position of the first entry: the same in every index of the log, and rising in
 * the order of opening. */
static const char tables[] =
    "CREATE TABLE meta(one INTEGER PRIMARY KEY CHECK(one = 1), epoch INTEGER NOT NULL,"
    " position INTEGER NOT NULL, needs_scrub INTEGER NOT NULL) STRICT;"
    "CREATE TABLE sites(site TEXT PRIMARY KEY, search_text INTEGER NOT NULL) WITHOUT ROWID, STRICT;"
    "CREATE TABLE conversations(number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE,"
    " site TEXT NOT NULL, inbox BLOB, reference TEXT NOT NULL, identity TEXT NOT NULL,"
    " status INTEGER NOT NULL, assignee BLOB, revision INTEGER NOT NULL, head INTEGER NOT NULL,"
    " floor INTEGER NOT NULL, opened_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL,"
    " claimed_ms INTEGER NOT NULL, waiting_ms INTEGER, is_erased INTEGER NOT NULL,"
    " contact BLOB, name TEXT NOT NULL, email TEXT NOT NULL, phone TEXT NOT NULL,"
    " visitor BLOB, seen_ms INTEGER NOT NULL, tags TEXT NOT NULL, custom_fields TEXT NOT NULL,"
    " context TEXT NOT NULL, first_response_ms INTEGER, closed_ms INTEGER NOT NULL,"
    " erased_ms INTEGER NOT NULL, due_ms INTEGER, last_offset INTEGER NOT NULL,"
    " last_role INTEGER NOT NULL, last_ms INTEGER NOT NULL, excerpt TEXT NOT NULL) STRICT;"
    "CREATE INDEX by_opened ON conversations(opened_ms);"
    "CREATE INDEX by_updated ON conversations(updated_ms);"
    "CREATE INDEX open_by_opened ON conversations(opened_ms) WHERE status = 1;"
    "CREATE INDEX open_by_updated ON conversations(updated_ms) WHERE status = 1;"
    "CREATE INDEX by_waiting ON conversations(waiting_ms) WHERE waiting_ms IS NOT NULL;"
    "CREATE INDEX by_due ON conversations(due_ms) WHERE due_ms IS NOT NULL;"
    "CREATE INDEX by_answered ON conversations(first_response_ms)"
    " WHERE first_response_ms IS NOT NULL;"
    "CREATE INDEX by_assignee ON conversations(assignee, opened_ms) WHERE assignee IS NOT NULL;"
    "CREATE INDEX by_inbox ON conversations(inbox, opened_ms) WHERE inbox IS NOT NULL;"
    "CREATE INDEX open_by_assignee ON conversations(assignee)"
    " WHERE status = 1 AND assignee IS NOT NULL;"
    "CREATE INDEX open_by_inbox ON conversations(inbox) WHERE status = 1 AND inbox IS NOT NULL;"
    "CREATE INDEX by_site ON conversations(site, opened_ms);"
    "CREATE INDEX by_contact ON conversations(contact, opened_ms) WHERE contact IS NOT NULL;"
    "CREATE TABLE tags(tag TEXT NOT NULL, number INTEGER NOT NULL, site TEXT NOT NULL,"
    " PRIMARY KEY(tag, number)) WITHOUT ROWID, STRICT;"
    "CREATE INDEX tags_by_number ON tags(number);"
    "CREATE TABLE addresses(address TEXT NOT NULL, number INTEGER NOT NULL,"
    " PRIMARY KEY(address, number)) WITHOUT ROWID, STRICT;"
    "CREATE INDEX addresses_by_number ON addresses(number);"
    "CREATE TABLE heard(number INTEGER NOT NULL, offset INTEGER NOT NULL,"
    " PRIMARY KEY(number, offset)) WITHOUT ROWID, STRICT;"
    "CREATE TABLE voices(number INTEGER NOT NULL, agent BLOB NOT NULL, offset INTEGER NOT NULL,"
    " PRIMARY KEY(number, agent)) WITHOUT ROWID, STRICT;"
    "CREATE TABLE contacts(number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE,"
    " site TEXT NOT NULL, name TEXT NOT NULL, email TEXT NOT NULL, phone TEXT NOT NULL,"
    " identity TEXT NOT NULL, first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL,"
    " n_conversations INTEGER NOT NULL) STRICT;"
    "CREATE INDEX contacts_by_last ON contacts(last_ms);"
    "CREATE INDEX contacts_by_site ON contacts(site, last_ms);"
    "CREATE VIRTUAL TABLE texts USING fts5(body, columnsize=0, tokenize='unicode61 remove_diacritics 2');"
    "CREATE VIRTUAL TABLE people USING fts5(body, columnsize=0, tokenize='unicode61 remove_diacritics 2');";

/* A projection loses nothing with its tail: no sync but at checkpoints. What is deleted is
 * overwritten, since the text of erased conversations must not stay in the file. */
static const char settings[] =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON;"
    "PRAGMA wal_autocheckpoint = 2000; PRAGMA cache_size = -32768; PRAGMA mmap_size = 0";

static int make_tables(sqlite3 *db, uint64_t epoch)
{
    char sql[256];

    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO meta VALUES(1, %lld, 0, 0);"
                   "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
                   (long long)epoch, (int)HL_INDEX_APPLICATION_ID, (int)HL_INDEX_SCHEMA_VERSION);
    int r = hl_sqlite_run(db, "BEGIN IMMEDIATE");
    if (r == 0)
        r = hl_sqlite_run(db, tables);
    return r == 0 ? hl_sqlite_run(db, sql) : r;
}

static int look_at_file(sqlite3 *db, uint64_t epoch, uint64_t *out_position)
{
    int64_t application = 0;
    int64_t version = 0;
    int64_t n_tables = 0;
    int64_t found_epoch = 0;
    int64_t position = 0;
    int r = hl_sqlite_query_integer(db, "SELECT count(*) FROM sqlite_schema", &n_tables);

    if (r == 0)
        r = hl_sqlite_run(db, settings);
    if (r == 0 && n_tables == 0)
        r = make_tables(db, epoch);
    if (r == 0)
        r = hl_sqlite_query_integer(db, "PRAGMA application_id", &application);
    if (r == 0)
        r = hl_sqlite_query_integer(db, "PRAGMA user_version", &version);
    if (r != 0)
        return r;
    if (application != HL_INDEX_APPLICATION_ID || version != HL_INDEX_SCHEMA_VERSION)
        return HL_INDEX_FILE_STALE;
    r = hl_sqlite_query_integer(db, "SELECT epoch FROM meta", &found_epoch);
    if (r == 0)
        r = hl_sqlite_query_integer(db, "SELECT position FROM meta", &position);
    *out_position = (uint64_t)position;
    return r == 0 && (uint64_t)found_epoch != epoch ? HL_INDEX_FILE_STALE : r;
}

int hl_index_file_open(const char *path, uint64_t epoch, sqlite3 **out_db, uint64_t *out_position)
{
    sqlite3 *db = NULL;
    int r = hl_sqlite_file_make(path);

    *out_db = NULL;
    if (r == 0)
        r = hl_sqlite_file_open(path, NULL, HL_SQLITE_CREATE, &db);
    if (r == 0)
        r = look_at_file(db, epoch, out_position);
    if (r == 0) {
        *out_db = db;
        return 0;
    }
    hl_index_file_close(db);
    return r == -EBADMSG || r == -EIO || r == -EEXIST ? HL_INDEX_FILE_STALE : r;
}

void hl_index_file_close(sqlite3 *db)
{
    HL_CHECK(sqlite3_close(db) == SQLITE_OK);
}

int hl_index_file_remove(const char *path)
{
    static const char *const endings[] = {"", "-wal", "-shm", "-journal"};
    char name[PATH_SIZE_MAX];

    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        int size = snprintf(name, sizeof(name), "%s%s", path, endings[i]);
        if (size < 0 || (size_t)size >= sizeof(name))
            return -ENAMETOOLONG;
        if (unlink(name) != 0 && errno != ENOENT)
            return -errno;
    }
    return 0;
}
