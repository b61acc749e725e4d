/* Older data folders have API keys alone, in keys.db: each becomes an agent with that id and a
 * key. Rows that are there already stay, so it may be cut off anywhere and done again; the file
 * is renamed when its rows are durable. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/result.h"
#include "store/directory/file.h"
#include "store/directory/file_state.h"

enum { KEYS_APPLICATION_ID = 0x686c6b31, KEYS_VERSION = 1, DOCUMENT_MAX = 1024 };

struct old_key {
    struct hl_id id;
    struct hl_bytes hash;
    enum hl_key_role role;
    struct hl_bytes name;
    int64_t created_ms;
    int64_t revoked_ms;
};

static bool read_old(sqlite3_stmt *row, struct old_key *out_key)
{
    out_key->hash = hl_sqlite_column_bytes(row, 1);
    out_key->role = (enum hl_key_role)sqlite3_column_int(row, 2);
    out_key->name = hl_sqlite_column_bytes(row, 3);
    out_key->created_ms = sqlite3_column_int64(row, 4);
    out_key->revoked_ms = sqlite3_column_int64(row, 5);
    return hl_sqlite_column_id(row, 0, &out_key->id) && out_key->hash.size == HL_KEY_HASH_SIZE &&
           out_key->role >= HL_KEY_AGENT && out_key->role < HL_KEY_ROLE_END &&
           out_key->name.size >= 1 && out_key->name.size <= HL_AGENT_NAME_SIZE_MAX &&
           hl_json_is_utf8(out_key->name);
}

static int insert_agent(struct hl_directory_file *file, const struct old_key *old)
{
    char id[HL_ID_TEXT_SIZE];
    struct hl_buffer document;
    hl_id_format(&old->id, HL_ID_AGENT, id);
    hl_buffer_init(&document, DOCUMENT_MAX);
    hl_buffer_printf(&document, "{\"active\":%s,\"inboxes\":[],\"name\":",
                     old->revoked_ms == 0 ? "true" : "false");
    hl_json_append_string(&document, old->name);
    hl_buffer_printf(&document, ",\"role\":\"%s\"}", hl_key_role_name(old->role));
    struct hl_directory_row row = {.kind = HL_RECORD_AGENT,
                                   .id = id,
                                   .site = "",
                                   .label = "",
                                   .document = hl_buffer_bytes(&document),
                                   .created_ms = old->created_ms,
                                   .is_retired = old->revoked_ms != 0,
                                   .if_missing = true};
    int r = hl_buffer_failed(&document) ? -ENOMEM : hl_directory_file_insert(file, &row);
    hl_buffer_fini(&document);
    return r;
}

static int insert_key(struct hl_directory_file *file, const struct old_key *old)
{
    char agent[HL_ID_TEXT_SIZE];
    char id[HL_ID_TEXT_SIZE];
    struct hl_buffer document;
    hl_id_format(&old->id, HL_ID_AGENT, agent);
    hl_id_format(&old->id, HL_ID_KEY, id);
    hl_buffer_init(&document, DOCUMENT_MAX);
    hl_buffer_printf(&document, "{\"agent\":\"%s\",\"name\":", agent);
    hl_json_append_string(&document, old->name);
    if (old->revoked_ms != 0)
        hl_buffer_printf(&document, ",\"revoked_ms\":%lld", (long long)old->revoked_ms);
    hl_buffer_append_text(&document, "}");
    struct hl_directory_row row = {.kind = HL_RECORD_KEY,
                                   .id = id,
                                   .site = "",
                                   .label = "",
                                   .document = hl_buffer_bytes(&document),
                                   .secret = old->hash,
                                   .created_ms = old->created_ms,
                                   .is_retired = old->revoked_ms != 0,
                                   .if_missing = true};
    int r = hl_buffer_failed(&document) ? -ENOMEM : hl_directory_file_insert(file, &row);
    hl_buffer_fini(&document);
    return r;
}

static int copy_rows(struct hl_directory_file *file, sqlite3 *keys)
{
    sqlite3_stmt *rows = NULL;
    int r = hl_sqlite_prepare(keys, "SELECT id, hash, role, name, created_ms, revoked_ms FROM key",
                              &rows);
    while (r == 0) {
        struct old_key old;
        r = hl_sqlite_step(rows);
        if (r == 0 && !read_old(rows, &old))
            r = -EBADMSG;
        if (r == 0)
            r = insert_agent(file, &old);
        if (r == 0)
            r = insert_key(file, &old);
    }
    (void)sqlite3_finalize(rows);
    return r == HL_SQLITE_NO_ROW ? 0 : r;
}

static int copy_keys(struct hl_directory_file *file, sqlite3 *keys)
{
    int r = hl_sqlite_run(file->db, "BEGIN IMMEDIATE");
    if (r != 0)
        return r;
    r = copy_rows(file, keys);
    if (r == 0)
        r = hl_sqlite_run(file->db, "COMMIT");
    if (r != 0)
        (void)hl_sqlite_run(file->db, "ROLLBACK");
    return r;
}

/* 0: it has keys; 1: it is an empty file, as an interrupted start leaves; -EBADMSG, -errno. */
static int check_keys(sqlite3 *keys)
{
    int64_t application = 0;
    int64_t version = 0;
    int64_t n_tables = 0;
    int r = hl_sqlite_query_integer(keys, "PRAGMA application_id", &application);
    if (r == 0)
        r = hl_sqlite_query_integer(keys, "PRAGMA user_version", &version);
    if (r == 0)
        r = hl_sqlite_query_integer(keys, "SELECT count(*) FROM sqlite_schema", &n_tables);
    if (r != 0)
        return r;
    if (n_tables == 0)
        return 1;
    return application == KEYS_APPLICATION_ID && version == KEYS_VERSION ? 0 : -EBADMSG;
}

int hl_directory_file_take_over(struct hl_directory_file *file, const char *keys_path)
{
    char renamed[4096];
    sqlite3 *keys = NULL;
    if (access(keys_path, F_OK) != 0)
        return 0;
    int size = snprintf(renamed, sizeof(renamed), "%s.taken-over", keys_path);
    if (size < 0 || (size_t)size >= sizeof(renamed))
        return -ENAMETOOLONG;
    int r = hl_sqlite_file_open(keys_path, NULL, HL_SQLITE_WRITE, &keys);
    if (r == -ENOENT) /* another process was faster */
        return 0;
    if (r == 0)
        r = check_keys(keys);
    if (r == 0)
        r = copy_keys(file, keys);
    hl_sqlite_file_close(keys);
    if (r < 0)
        return r == -EBADMSG ? HL_DIRECTORY_NO_DIRECTORY : r;
    return rename(keys_path, renamed) == 0 || errno == ENOENT ? 0 : -errno;
}
