#include "store/directory/audit_rows.h"

#include <string.h>

#include "base/result.h"
#include "store/directory/file_state.h"

int hl_audit_rows_insert(struct hl_directory_file *file, const struct hl_directory_audit *audit,
                         uint64_t *out_number)
{
    sqlite3_stmt *insert = NULL;
    int r = hl_sqlite_prepare(file->db,
                              "INSERT INTO outbox(mid, site, role, author, body)"
                              " VALUES(?1, ?2, ?3, ?4, ?5)",
                              &insert);
    if (r != 0)
        return r;
    hl_sqlite_bind_text(insert, 1, hl_bytes_of(audit->mid));
    hl_sqlite_bind_text(insert, 2, hl_bytes_of(audit->site));
    hl_sqlite_bind_integer(insert, 3, audit->author.role);
    hl_sqlite_bind_id(insert, 4, &audit->author.id);
    hl_sqlite_bind_text(insert, 5, audit->body);
    r = hl_sqlite_finish(insert);
    (void)sqlite3_finalize(insert);
    *out_number = (uint64_t)sqlite3_last_insert_rowid(file->db);
    return r;
}

int hl_audit_rows_newest(struct hl_directory_file *file, uint64_t *out_number)
{
    int64_t number = 0;
    int r = hl_sqlite_query_integer(
        file->db, "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name='outbox'), 0)",
        &number);
    *out_number = (uint64_t)number;
    return r;
}

static int read_row(sqlite3_stmt *row, struct hl_audit_row *out_row)
{
    struct hl_entry_fields fields = {.kind = HL_ENTRY_AUDIT,
                                     .mid = hl_sqlite_column_bytes(row, 1),
                                     .body = hl_sqlite_column_bytes(row, 5)};
    char reference[HL_REFERENCE_SIZE_MAX + 1];
    struct hl_bytes site = hl_sqlite_column_bytes(row, 2);
    int role = sqlite3_column_int(row, 3);
    if (site.size > HL_SITE_SIZE_MAX || !hl_mid_is_valid(fields.mid) ||
        fields.body.size > HL_ENTRY_BODY_SIZE_MAX || role < HL_ROLE_VISITOR ||
        role > HL_ROLE_SYSTEM || !hl_sqlite_column_id(row, 4, &fields.author.id))
        return -EBADMSG;
    memset(out_row, 0, sizeof(*out_row));
    memcpy(out_row->site, site.size > 0 ? site.data : "", site.size);
    fields.author.role = (uint8_t)role;
    (void)hl_audit_place(out_row->site, &fields.conversation, reference);
    out_row->number = (uint64_t)sqlite3_column_int64(row, 0);
    out_row->entry = hl_entry_create(&fields);
    return out_row->entry != NULL ? 0 : -ENOMEM;
}

int hl_audit_rows_next(struct hl_directory_file *file, uint64_t after, struct hl_audit_row *out_row)
{
    sqlite3_stmt *find = NULL;
    int r = hl_sqlite_prepare(file->db,
                              "SELECT number, mid, site, role, author, body FROM outbox"
                              " WHERE number>?1 ORDER BY number LIMIT 1",
                              &find);
    if (r != 0)
        return r;
    hl_sqlite_bind_integer(find, 1, (int64_t)after);
    r = hl_sqlite_step(find);
    if (r == 0)
        r = read_row(find, out_row);
    (void)sqlite3_finalize(find);
    return r;
}

static int move_mark(sqlite3 *db, const struct hl_audit_mark *mark)
{
    sqlite3_stmt *upsert = NULL;
    int r = hl_sqlite_prepare(db,
                              "INSERT INTO audit_mark VALUES(1, ?1, ?2, 0) ON CONFLICT DO UPDATE"
                              " SET epoch=?1, position=?2 WHERE lost=0",
                              &upsert);
    if (r != 0)
        return r;
    hl_sqlite_bind_integer(upsert, 1, (int64_t)mark->epoch);
    hl_sqlite_bind_integer(upsert, 2, (int64_t)mark->position);
    r = hl_sqlite_finish(upsert);
    (void)sqlite3_finalize(upsert);
    return r;
}

static int drop_rows(sqlite3 *db, uint64_t number)
{
    sqlite3_stmt *erase = NULL;
    int r = hl_sqlite_prepare(db, "DELETE FROM outbox WHERE number<=?1", &erase);
    if (r != 0)
        return r;
    hl_sqlite_bind_integer(erase, 1, (int64_t)number);
    r = hl_sqlite_finish(erase);
    (void)sqlite3_finalize(erase);
    return r;
}

int hl_audit_rows_settle(struct hl_directory_file *file, uint64_t number,
                         const struct hl_audit_mark *mark)
{
    int r = hl_sqlite_run(file->db, "BEGIN IMMEDIATE");
    if (r != 0)
        return r;
    r = drop_rows(file->db, number);
    if (r == 0)
        r = move_mark(file->db, mark);
    if (r == 0)
        r = hl_sqlite_run(file->db, "COMMIT");
    if (r != 0)
        (void)hl_sqlite_run(file->db, "ROLLBACK");
    return r;
}

static int read_mark(sqlite3 *db, struct hl_audit_mark *out_mark)
{
    sqlite3_stmt *find = NULL;
    memset(out_mark, 0, sizeof(*out_mark));
    int r = hl_sqlite_prepare(db, "SELECT epoch, position, lost FROM audit_mark", &find);
    if (r != 0)
        return r;
    r = hl_sqlite_step(find);
    if (r == 0) {
        out_mark->epoch = (uint64_t)sqlite3_column_int64(find, 0);
        out_mark->position = (uint64_t)sqlite3_column_int64(find, 1);
        out_mark->is_lost = sqlite3_column_int(find, 2) != 0;
    }
    (void)sqlite3_finalize(find);
    return r == HL_SQLITE_NO_ROW ? 0 : r;
}

int hl_audit_rows_read_mark(struct hl_directory_file *file, struct hl_audit_mark *out_mark)
{
    return read_mark(file->db, out_mark);
}

int hl_audit_rows_lose(struct hl_directory_file *file)
{
    return hl_sqlite_run(file->db, "UPDATE audit_mark SET lost=1");
}

/* A file of an older holdline has no mark. */
static int find_mark(sqlite3 *db, struct hl_audit_mark *out_mark)
{
    int64_t has_table = 0;
    int r = hl_sqlite_query_integer(
        db, "SELECT count(*) FROM sqlite_schema WHERE name='audit_mark'", &has_table);
    return r == 0 && has_table != 0 ? read_mark(db, out_mark) : r;
}

int hl_audit_mark_read(const char *path, struct hl_audit_mark *out_mark)
{
    sqlite3 *db = NULL;
    memset(out_mark, 0, sizeof(*out_mark));
    int r = hl_sqlite_file_open(path, NULL, HL_SQLITE_READ, &db);
    if (r == 0)
        r = find_mark(db, out_mark);
    hl_sqlite_file_close(db);
    return r;
}

int hl_audit_mark_renew(const char *path, uint64_t epoch, uint64_t position)
{
    sqlite3 *db = NULL;
    struct hl_audit_mark mark = {0};
    int r = hl_sqlite_file_open(path, NULL, HL_SQLITE_WRITE, &db);
    if (r == 0)
        r = find_mark(db, &mark);
    if (r == 0 && mark.epoch != 0)
        r = move_mark(db, &(struct hl_audit_mark){.epoch = epoch, .position = position});
    hl_sqlite_file_close(db);
    return r;
}

bool hl_audit_mark_fits(const struct hl_audit_mark *mark, uint64_t epoch, uint64_t position)
{
    return mark->epoch == 0 ||
           (!mark->is_lost && mark->epoch == epoch && position >= mark->position);
}
