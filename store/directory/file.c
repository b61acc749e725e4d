#include "store/directory/file.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/result.h"
#include "store/directory/builder.h"
#include "store/directory/file_state.h"

enum { APPLICATION_ID = 0x686c6431, SCHEMA_VERSION = 2, JOURNAL_TRIES_MAX = 100 };

static const char schema[] =
    "CREATE TABLE record(" /* kind: enum hl_record_kind; secret: never given out */
    " kind INTEGER NOT NULL, id TEXT NOT NULL, site TEXT NOT NULL, label TEXT,"
    " revision INTEGER NOT NULL, created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL,"
    " retired INTEGER NOT NULL, document TEXT NOT NULL, secret BLOB,"
    " PRIMARY KEY(kind, id)) WITHOUT ROWID, STRICT;"
    "CREATE UNIQUE INDEX record_label ON record(kind, label)"
    " WHERE label IS NOT NULL AND retired=0;"
    "CREATE TABLE once(" /* answers to requests with an Idempotency-Key */
    " name BLOB PRIMARY KEY, request BLOB NOT NULL, answer BLOB NOT NULL,"
    " created_ms INTEGER NOT NULL) WITHOUT ROWID, STRICT;"
    "CREATE INDEX once_created ON once(created_ms);"
    "CREATE TABLE key_use("
    " key BLOB PRIMARY KEY, used_ms INTEGER NOT NULL) WITHOUT ROWID, STRICT;"
    "PRAGMA application_id=1751934001;"; /* APPLICATION_ID: PRAGMA takes no parameters */

static const char schema_2[] =
    "CREATE TABLE outbox(" /* what the audit log has not got yet; numbers are never used again */
    " number INTEGER PRIMARY KEY AUTOINCREMENT, mid TEXT NOT NULL, site TEXT NOT NULL,"
    " role INTEGER NOT NULL, author BLOB, body TEXT NOT NULL) STRICT;"
    "CREATE TABLE audit_mark(" /* see struct hl_audit_mark */
    " id INTEGER PRIMARY KEY CHECK(id=1), epoch INTEGER NOT NULL, position INTEGER NOT NULL,"
    " lost INTEGER NOT NULL) STRICT;"
    "PRAGMA user_version=2;";

/* In a transaction: two processes may open a new file at once. */
static int make_schema(struct hl_directory_file *file)
{
    int64_t application = 0;
    int64_t version = 0;
    int64_t n_tables = 0;
    int r = hl_sqlite_query_integer(file->db, "PRAGMA application_id", &application);
    if (r == 0)
        r = hl_sqlite_query_integer(file->db, "PRAGMA user_version", &version);
    if (r == 0)
        r = hl_sqlite_query_integer(file->db, "SELECT count(*) FROM sqlite_schema", &n_tables);
    if (r != 0)
        return r;
    if (application != APPLICATION_ID && n_tables > 0)
        return HL_DIRECTORY_NO_DIRECTORY;
    if (version > SCHEMA_VERSION)
        return HL_DIRECTORY_NEWER;
    r = n_tables > 0 ? 0 : hl_sqlite_run(file->db, schema);
    return r == 0 && version < 2 ? hl_sqlite_run(file->db, schema_2) : r;
}

/* Readers then never wait for a writer. The first time it needs the file for itself, and SQLite
 * does not wait for that; a transaction does. */
static int set_journal(struct hl_directory_file *file)
{
    int r = hl_sqlite_run(file->db, "PRAGMA journal_mode=WAL");
    for (int i = 0; i < JOURNAL_TRIES_MAX && r == -EBUSY; i++) {
        r = hl_sqlite_run(file->db, "BEGIN IMMEDIATE; COMMIT");
        if (r == 0)
            r = hl_sqlite_run(file->db, "PRAGMA journal_mode=WAL");
    }
    return r;
}

static int prepare_schema(struct hl_directory_file *file)
{
    int r = set_journal(file);
    if (r == 0)
        r = hl_sqlite_run(file->db, "PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;");
    if (r == 0)
        r = hl_sqlite_run(file->db, "BEGIN IMMEDIATE");
    if (r != 0)
        return r;
    r = make_schema(file);
    if (r == 0)
        return hl_sqlite_run(file->db, "COMMIT");
    (void)hl_sqlite_run(file->db, "ROLLBACK");
    return r;
}

int hl_directory_file_open(const char *path, const struct hl_random *random,
                           struct hl_directory_file **out_file)
{
    /* One that is there may be open in this process: opening it here would end its locks. */
    int r = access(path, F_OK) == 0 ? 0 : hl_sqlite_file_make(path);
    if (r != 0)
        return r;
    struct hl_directory_file *file = calloc(1, sizeof(*file));
    if (file == NULL)
        return -ENOMEM;
    file->random = random;
    r = hl_sqlite_file_open(path, NULL, HL_SQLITE_WRITE, &file->db);
    if (r == 0)
        r = prepare_schema(file);
    if (r != 0) {
        hl_directory_file_close(file);
        return r == -EBADMSG ? HL_DIRECTORY_NO_DIRECTORY : r;
    }
    *out_file = file;
    return 0;
}

void hl_directory_file_close(struct hl_directory_file *file)
{
    if (file == NULL)
        return;
    hl_sqlite_file_close(file->db);
    free(file);
}

int hl_directory_file_version(struct hl_directory_file *file, int64_t *out_version)
{
    return hl_sqlite_query_integer(file->db, "PRAGMA data_version", out_version);
}

static bool copy_text(sqlite3_stmt *row, int column, char *out, size_t out_size)
{
    struct hl_bytes text = hl_sqlite_column_bytes(row, column);
    if (text.size >= out_size)
        return false;
    memcpy(out, text.size > 0 ? text.data : "", text.size);
    out[text.size] = '\0';
    return true;
}

#define RECORD_COLUMNS "id, site, revision, created_ms, updated_ms, document"

/* Columns as in RECORD_COLUMNS, from `first` on. 0, -EBADMSG, -ENOMEM. */
static int read_record(sqlite3_stmt *row, int first, struct hl_record *out_record)
{
    memset(out_record, 0, sizeof(*out_record));
    if (!copy_text(row, first, out_record->id, sizeof(out_record->id)) ||
        !copy_text(row, first + 1, out_record->site, sizeof(out_record->site)))
        return -EBADMSG;
    out_record->revision = (uint64_t)sqlite3_column_int64(row, first + 2);
    out_record->created_ms = sqlite3_column_int64(row, first + 3);
    out_record->updated_ms = sqlite3_column_int64(row, first + 4);
    int r = hl_json_parse(hl_sqlite_column_bytes(row, first + 5), NULL, 0, &out_record->document);
    if (r < 0)
        return r;
    return r == 0 && json_is_object(out_record->document) ? 0 : -EBADMSG;
}

static int add_rows(sqlite3_stmt *rows, struct hl_snapshot_builder *builder)
{
    struct hl_record record;
    for (;;) {
        int r = hl_sqlite_step(rows);
        if (r == HL_SQLITE_NO_ROW)
            return 0;
        if (r == 0)
            r = read_record(rows, 2, &record);
        if (r == 0)
            r = hl_snapshot_builder_add(builder, (enum hl_record_kind)sqlite3_column_int(rows, 0),
                                        &record, hl_sqlite_column_bytes(rows, 1));
        if (r != 0)
            return r;
    }
}

int hl_directory_file_load(struct hl_directory_file *file, uint64_t version,
                           struct hl_directory_snapshot **out_snapshot)
{
    sqlite3_stmt *rows = NULL;
    struct hl_snapshot_builder builder;
    int r = hl_snapshot_builder_begin(&builder);
    if (r == 0)
        r = hl_sqlite_prepare(file->db,
                              "SELECT kind, secret, " RECORD_COLUMNS " FROM record"
                              " WHERE kind<6 ORDER BY kind, id",
                              &rows);
    if (r == 0)
        r = add_rows(rows, &builder);
    if (r == 0)
        r = hl_snapshot_builder_finish(&builder, version, out_snapshot);
    (void)sqlite3_finalize(rows);
    hl_snapshot_builder_abandon(&builder);
    return r;
}

static int look_up(struct hl_directory_query *query, sqlite3_stmt *rows)
{
    size_t n_max = query->id[0] != '\0' ? 1 : query->limit;
    query->items = calloc(n_max, sizeof(*query->items));
    if (query->items == NULL)
        return -ENOMEM;
    for (;;) {
        int r = hl_sqlite_step(rows);
        if (r == HL_SQLITE_NO_ROW)
            return 0;
        if (r != 0)
            return r;
        query->has_more = query->n_items == n_max;
        if (query->has_more)
            return 0;
        r = read_record(rows, 0, &query->items[query->n_items]);
        if (r != 0)
            return r;
        query->n_items++;
    }
}

int hl_directory_file_look(struct hl_directory_file *file, struct hl_directory_query *query)
{
    bool is_one = query->id[0] != '\0';
    sqlite3_stmt *rows = NULL;
    int r = hl_sqlite_prepare(file->db,
                              "SELECT " RECORD_COLUMNS " FROM record WHERE kind=?1"
                              " AND CASE WHEN ?2<>'' THEN id=?2 ELSE id>?3 END"
                              " AND (?4='' OR label=?4) AND (?5=0 OR retired=0)"
                              " ORDER BY id LIMIT ?6",
                              &rows);
    if (r != 0)
        return r;
    query->items = NULL;
    query->n_items = 0;
    query->has_more = false;
    hl_sqlite_bind_integer(rows, 1, query->kind);
    hl_sqlite_bind_text(rows, 2, hl_bytes_of(query->id));
    hl_sqlite_bind_text(rows, 3, hl_bytes_of(query->after));
    hl_sqlite_bind_text(rows, 4, hl_bytes_of(query->label));
    hl_sqlite_bind_integer(rows, 5, query->skip_retired ? 1 : 0);
    hl_sqlite_bind_integer(rows, 6, is_one ? 1 : (int64_t)query->limit + 1);
    r = look_up(query, rows);
    (void)sqlite3_finalize(rows);
    if (r == 0 && (!is_one || query->n_items == 1))
        return 0;
    hl_directory_query_fini(query);
    return r == 0 ? HL_DIRECTORY_UNKNOWN : r;
}

void hl_directory_query_fini(struct hl_directory_query *query)
{
    for (size_t i = 0; i < query->n_items; i++)
        json_decref(query->items[i].document);
    free(query->items);
    query->items = NULL;
    query->n_items = 0;
}

static int save_use(sqlite3_stmt *upsert, const struct hl_key_use *use)
{
    hl_sqlite_bind_id(upsert, 1, &use->key);
    hl_sqlite_bind_integer(upsert, 2, use->used_ms);
    return hl_sqlite_finish(upsert);
}

int hl_directory_file_save_uses(struct hl_directory_file *file, const struct hl_key_use *uses,
                                size_t n_uses)
{
    sqlite3_stmt *upsert = NULL;
    int r = hl_sqlite_run(file->db, "BEGIN IMMEDIATE");
    if (r != 0)
        return r;
    r = hl_sqlite_prepare(file->db,
                          "INSERT INTO key_use(key, used_ms) VALUES(?1, ?2)"
                          " ON CONFLICT(key) DO UPDATE SET used_ms=max(used_ms, ?2)",
                          &upsert);
    for (size_t i = 0; i < n_uses && r == 0; i++)
        r = save_use(upsert, &uses[i]);
    (void)sqlite3_finalize(upsert);
    if (r == 0)
        r = hl_sqlite_run(file->db, "COMMIT");
    if (r != 0)
        (void)hl_sqlite_run(file->db, "ROLLBACK");
    return r;
}

int hl_directory_file_load_uses(struct hl_directory_file *file, struct hl_key_use *uses,
                                size_t n_max, size_t *out_n_uses)
{
    sqlite3_stmt *rows = NULL;
    size_t n_uses = 0;
    int r = hl_sqlite_prepare(
        file->db, "SELECT key, used_ms FROM key_use ORDER BY used_ms DESC LIMIT ?1", &rows);
    if (r != 0)
        return r;
    hl_sqlite_bind_integer(rows, 1, (int64_t)n_max);
    while (n_uses < n_max && (r = hl_sqlite_step(rows)) == 0) {
        if (!hl_sqlite_column_id(rows, 0, &uses[n_uses].key))
            continue;
        uses[n_uses++].used_ms = sqlite3_column_int64(rows, 1);
    }
    (void)sqlite3_finalize(rows);
    *out_n_uses = n_uses;
    return r == HL_SQLITE_NO_ROW ? 0 : r;
}
