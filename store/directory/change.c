/* One change of the directory as one transaction, with what makes a repeat of it harmless. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/result.h"
#include "store/directory/admins.h"
#include "store/directory/audit_rows.h"
#include "store/directory/file.h"
#include "store/directory/file_state.h"

enum {
    ANSWER_SIZE_MAX = 256 * 1024,
    SEAL_SIZE = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES,
};

int hl_directory_file_insert(struct hl_directory_file *file, const struct hl_directory_row *row)
{
    sqlite3_stmt *insert = NULL;
    const char *sql = row->if_missing
                          ? "INSERT INTO record VALUES(?1, ?2, ?3, ?4, 1, ?5, ?5, ?6, ?7, ?8)"
                            " ON CONFLICT DO NOTHING"
                          : "INSERT INTO record VALUES(?1, ?2, ?3, ?4, 1, ?5, ?5, ?6, ?7, ?8)";
    int r = hl_sqlite_prepare(file->db, sql, &insert);
    if (r != 0)
        return r;
    hl_sqlite_bind_integer(insert, 1, row->kind);
    hl_sqlite_bind_text(insert, 2, hl_bytes_of(row->id));
    hl_sqlite_bind_text(insert, 3, hl_bytes_of(row->site));
    if (row->label[0] != '\0') /* an unbound parameter is NULL */
        hl_sqlite_bind_text(insert, 4, hl_bytes_of(row->label));
    hl_sqlite_bind_integer(insert, 5, row->created_ms);
    hl_sqlite_bind_integer(insert, 6, row->is_retired ? 1 : 0);
    hl_sqlite_bind_text(insert, 7, row->document);
    if (row->secret.size > 0)
        hl_sqlite_bind_blob(insert, 8, row->secret);
    r = hl_sqlite_finish(insert);
    (void)sqlite3_finalize(insert);
    return r;
}

static int count_records(struct hl_directory_file *file, enum hl_record_kind kind,
                         int64_t *out_count)
{
    sqlite3_stmt *count = NULL;
    int r = hl_sqlite_prepare(file->db, "SELECT count(*) FROM record WHERE kind=?1 AND retired=0",
                              &count);
    if (r != 0)
        return r;
    hl_sqlite_bind_integer(count, 1, kind);
    r = hl_sqlite_step(count);
    if (r == 0)
        *out_count = sqlite3_column_int64(count, 0);
    (void)sqlite3_finalize(count);
    return r;
}

static int create_record(struct hl_directory_file *file, const struct hl_directory_change *change,
                         int64_t now_ms)
{
    int64_t n_records = 0;
    struct hl_directory_row row = {.kind = change->kind,
                                   .id = change->id,
                                   .site = change->site,
                                   .label = change->label,
                                   .document = change->document,
                                   .secret = change->secret,
                                   .created_ms = now_ms};
    int r = change->n_max > 0 ? count_records(file, change->kind, &n_records) : 0;
    if (r == 0 && change->n_max > 0 && n_records >= change->n_max)
        return HL_DIRECTORY_LIMIT;
    if (r == 0)
        r = hl_directory_file_insert(file, &row);
    return r == -EEXIST ? HL_DIRECTORY_TAKEN : r;
}

/* 0, HL_DIRECTORY_UNKNOWN, HL_DIRECTORY_REVISION, -errno. */
static int check_revision(struct hl_directory_file *file, struct hl_directory_change *change)
{
    sqlite3_stmt *find = NULL;
    int r =
        hl_sqlite_prepare(file->db, "SELECT revision FROM record WHERE kind=?1 AND id=?2", &find);
    if (r != 0)
        return r;
    hl_sqlite_bind_integer(find, 1, change->kind);
    hl_sqlite_bind_text(find, 2, hl_bytes_of(change->id));
    r = hl_sqlite_step(find);
    if (r == 0)
        change->revision = (uint64_t)sqlite3_column_int64(find, 0);
    (void)sqlite3_finalize(find);
    if (r != 0)
        return r == HL_SQLITE_NO_ROW ? HL_DIRECTORY_UNKNOWN : r;
    bool is_current = !change->has_if_revision || change->if_revision == change->revision;
    return is_current ? 0 : HL_DIRECTORY_REVISION;
}

/* An agent that is let go must not come back with old keys. */
static int revoke_keys(struct hl_directory_file *file, const struct hl_directory_change *change)
{
    sqlite3_stmt *update = NULL;
    int r = hl_sqlite_prepare(file->db,
                              "UPDATE record SET retired=1, revision=revision+1, updated_ms=?3,"
                              " document=json_set(document, '$.revoked_ms', ?3)"
                              " WHERE kind=?1 AND retired=0"
                              " AND json_extract(document, '$.agent')=?2",
                              &update);
    if (r != 0)
        return r;
    hl_sqlite_bind_integer(update, 1, HL_RECORD_KEY);
    hl_sqlite_bind_text(update, 2, hl_bytes_of(change->id));
    hl_sqlite_bind_integer(update, 3, change->now_ms);
    r = hl_sqlite_finish(update);
    (void)sqlite3_finalize(update);
    return r;
}

static int replace_record(struct hl_directory_file *file, struct hl_directory_change *change)
{
    sqlite3_stmt *update = NULL;
    int r = check_revision(file, change);
    if (r == 0)
        r = hl_sqlite_prepare(file->db,
                              "UPDATE record SET label=?3, retired=?4, document=?5,"
                              " secret=coalesce(?6, secret), updated_ms=?7, revision=revision+1"
                              " WHERE kind=?1 AND id=?2",
                              &update);
    if (r != 0)
        return r;
    hl_sqlite_bind_integer(update, 1, change->kind);
    hl_sqlite_bind_text(update, 2, hl_bytes_of(change->id));
    if (change->label[0] != '\0')
        hl_sqlite_bind_text(update, 3, hl_bytes_of(change->label));
    hl_sqlite_bind_integer(update, 4, change->is_retired ? 1 : 0);
    hl_sqlite_bind_text(update, 5, change->document);
    if (change->secret.size > 0)
        hl_sqlite_bind_blob(update, 6, change->secret);
    hl_sqlite_bind_integer(update, 7, change->now_ms);
    r = hl_sqlite_finish(update);
    (void)sqlite3_finalize(update);
    change->revision++;
    if (r == 0 && change->kind == HL_RECORD_AGENT && change->is_retired)
        r = revoke_keys(file, change);
    return r == -EEXIST ? HL_DIRECTORY_TAKEN : r;
}

static int delete_record(struct hl_directory_file *file, struct hl_directory_change *change)
{
    sqlite3_stmt *erase = NULL;
    int r = check_revision(file, change);
    if (r == 0) /* with a site, its inboxes and canned replies */
        r = hl_sqlite_prepare(file->db,
                              "DELETE FROM record WHERE (kind=?1 AND id=?2)"
                              " OR (?1=1 AND kind IN (2, 5) AND site=?2)",
                              &erase);
    if (r != 0)
        return r;
    hl_sqlite_bind_integer(erase, 1, change->kind);
    hl_sqlite_bind_text(erase, 2, hl_bytes_of(change->id));
    r = hl_sqlite_finish(erase);
    (void)sqlite3_finalize(erase);
    return r;
}

static int run_operation(struct hl_directory_file *file, struct hl_directory_change *change)
{
    if (change->operation == HL_DIRECTORY_REPLACE)
        return replace_record(file, change);
    if (change->operation == HL_DIRECTORY_DELETE)
        return delete_record(file, change);
    int r = create_record(file, change, change->now_ms);
    if (r == 0 && change->with != NULL)
        r = create_record(file, change->with, change->now_ms);
    change->revision = 1;
    return r;
}

static int open_answer(struct hl_bytes sealed, const struct hl_directory_once *once,
                       struct hl_buffer *out_answer)
{
    const uint8_t *data = (const uint8_t *)sealed.data;
    uint8_t *plain = NULL;
    if (sealed.size < SEAL_SIZE || sealed.size > ANSWER_SIZE_MAX + SEAL_SIZE)
        return -EBADMSG;
    size_t size = sealed.size - SEAL_SIZE;
    plain = malloc(size + 1);
    if (plain == NULL)
        return -ENOMEM;
    int r = crypto_secretbox_open_easy(plain, data + crypto_secretbox_NONCEBYTES,
                                       sealed.size - crypto_secretbox_NONCEBYTES, data,
                                       once->secret) == 0
                ? 0
                : -EBADMSG;
    hl_buffer_init(out_answer, ANSWER_SIZE_MAX);
    if (r == 0)
        hl_buffer_append(out_answer, plain, size);
    sodium_memzero(plain, size);
    free(plain);
    return r == 0 && hl_buffer_failed(out_answer) ? -ENOMEM : r;
}

/* 0: nothing is known of it, or replayed; HL_DIRECTORY_MISMATCH, -errno. */
static int find_once(struct hl_directory_file *file, struct hl_directory_change *change)
{
    const struct hl_directory_once *once = change->once;
    sqlite3_stmt *find = NULL;
    int r = hl_sqlite_prepare(
        file->db, "SELECT request, answer FROM once WHERE name=?1 AND created_ms>?2", &find);
    if (r != 0)
        return r;
    hl_sqlite_bind_blob(find, 1, (struct hl_bytes){(const char *)once->name, sizeof(once->name)});
    hl_sqlite_bind_integer(find, 2, change->now_ms - HL_ONCE_KEPT_MS);
    r = hl_sqlite_step(find);
    if (r == 0) {
        struct hl_bytes request = {(const char *)once->request, sizeof(once->request)};
        change->replayed = hl_bytes_equal(hl_sqlite_column_bytes(find, 0), request);
        r = change->replayed ? open_answer(hl_sqlite_column_bytes(find, 1), once, &change->answer)
                             : HL_DIRECTORY_MISMATCH;
    } else if (r == HL_SQLITE_NO_ROW) {
        r = 0;
    }
    (void)sqlite3_finalize(find);
    return r;
}

static int forget_old(struct hl_directory_file *file, int64_t now_ms)
{
    sqlite3_stmt *erase = NULL;
    int r = hl_sqlite_prepare(file->db, "DELETE FROM once WHERE created_ms<=?1", &erase);
    if (r != 0)
        return r;
    hl_sqlite_bind_integer(erase, 1, now_ms - HL_ONCE_KEPT_MS);
    r = hl_sqlite_finish(erase);
    (void)sqlite3_finalize(erase);
    return r;
}

static int insert_once(struct hl_directory_file *file, const struct hl_directory_change *change,
                       struct hl_bytes sealed)
{
    const struct hl_directory_once *once = change->once;
    sqlite3_stmt *insert = NULL;
    int r = hl_sqlite_prepare(file->db, "INSERT INTO once VALUES(?1, ?2, ?3, ?4)", &insert);
    if (r != 0)
        return r;
    hl_sqlite_bind_blob(insert, 1, (struct hl_bytes){(const char *)once->name, sizeof(once->name)});
    hl_sqlite_bind_blob(insert, 2,
                        (struct hl_bytes){(const char *)once->request, sizeof(once->request)});
    hl_sqlite_bind_blob(insert, 3, sealed);
    hl_sqlite_bind_integer(insert, 4, change->now_ms);
    r = hl_sqlite_finish(insert);
    (void)sqlite3_finalize(insert);
    return r;
}

static int store_once(struct hl_directory_file *file, const struct hl_directory_change *change)
{
    struct hl_bytes answer = change->once->answer;
    HL_CHECK(answer.size <= ANSWER_SIZE_MAX);
    uint8_t *sealed = malloc(answer.size + SEAL_SIZE);
    if (sealed == NULL)
        return -ENOMEM;
    hl_random_fill(file->random, sealed, crypto_secretbox_NONCEBYTES);
    HL_CHECK(crypto_secretbox_easy(sealed + crypto_secretbox_NONCEBYTES,
                                   (const uint8_t *)answer.data, answer.size, sealed,
                                   change->once->secret) == 0);
    int r = forget_old(file, change->now_ms);
    if (r == 0)
        r = insert_once(file, change,
                        (struct hl_bytes){(const char *)sealed, answer.size + SEAL_SIZE});
    free(sealed);
    return r;
}

/* What the audit log will say is stored with the change: neither is there without the other. */
static int record_change(struct hl_directory_file *file, struct hl_directory_change *change)
{
    int r = 0;
    if (change->audit != NULL)
        r = hl_audit_rows_insert(file, change->audit, &change->audit_number);
    if (r == 0 && change->with != NULL && change->with->audit != NULL)
        r = hl_audit_rows_insert(file, change->with->audit, &change->audit_number);
    return r;
}

static int run_change(struct hl_directory_file *file, struct hl_directory_change *change)
{
    bool had_admin = false;
    int r = change->once != NULL ? find_once(file, change) : 0;
    if (r == 0 && change->replayed && change->audit != NULL) /* of the first, at the latest */
        return hl_audit_rows_newest(file, &change->audit_number);
    if (r != 0 || change->replayed)
        return r;
    if (change->keeps_admin)
        r = hl_admins_find(file, change, &had_admin);
    if (r == 0)
        r = run_operation(file, change);
    if (r == 0 && had_admin)
        r = hl_admins_check(file, change);
    if (r == 0)
        r = record_change(file, change);
    if (r == 0 && change->once != NULL)
        r = store_once(file, change);
    return r;
}

int hl_directory_file_apply(struct hl_directory_file *file, struct hl_directory_change *change)
{
    change->replayed = false;
    change->audit_number = 0;
    int r = hl_sqlite_run(file->db, "BEGIN IMMEDIATE");
    if (r != 0)
        return r;
    r = run_change(file, change);
    if (r == 0)
        r = hl_sqlite_run(file->db, "COMMIT");
    if (r != 0) {
        (void)hl_sqlite_run(file->db, "ROLLBACK");
        if (change->replayed)
            hl_buffer_fini(&change->answer);
        change->replayed = false;
    }
    return r;
}
