#include "store/index/sql.h"

#include "base/check.h"
#include "base/result.h"

enum { TEXT_SIZE_MAX = 8192 };

void hl_index_sql_init(struct hl_index_sql *sql)
{
    hl_buffer_init(&sql->text, TEXT_SIZE_MAX);
    sql->n_values = 0;
}

void hl_index_sql_fini(struct hl_index_sql *sql)
{
    hl_buffer_fini(&sql->text);
}

void hl_index_sql_add(struct hl_index_sql *sql, const char *text)
{
    hl_buffer_append_text(&sql->text, text);
}

static struct hl_index_value *add_value(struct hl_index_sql *sql, const char *text)
{
    HL_CHECK(sql->n_values < HL_INDEX_VALUES_MAX);
    hl_index_sql_add(sql, text);
    hl_index_sql_add(sql, "?");
    return &sql->values[sql->n_values++];
}

void hl_index_sql_add_integer(struct hl_index_sql *sql, const char *text, int64_t value)
{
    *add_value(sql, text) =
        (struct hl_index_value){.kind = HL_INDEX_VALUE_INTEGER, .integer = value};
}

void hl_index_sql_add_text(struct hl_index_sql *sql, const char *text, struct hl_bytes value)
{
    *add_value(sql, text) = (struct hl_index_value){.kind = HL_INDEX_VALUE_TEXT, .text = value};
}

void hl_index_sql_add_id(struct hl_index_sql *sql, const char *text, const struct hl_id *value)
{
    *add_value(sql, text) = (struct hl_index_value){.kind = HL_INDEX_VALUE_ID, .id = value};
}

void hl_index_sql_add_scope(struct hl_index_sql *sql, const struct hl_index_scope *scope)
{
    if (scope->site[0] != '\0')
        hl_index_sql_add_text(sql, " AND c.site = ", hl_bytes_of(scope->site));
    if (scope->n_inboxes == 0)
        return;
    hl_index_sql_add(sql, " AND (c.inbox IS NULL OR c.inbox IN (");
    for (size_t i = 0; i < scope->n_inboxes; i++)
        hl_index_sql_add_id(sql, i > 0 ? "," : "", &scope->inboxes[i]);
    hl_index_sql_add(sql, "))");
}

static void bind_value(sqlite3_stmt *statement, int index, const struct hl_index_value *value)
{
    switch (value->kind) {
    case HL_INDEX_VALUE_INTEGER:
        hl_sqlite_bind_integer(statement, index, value->integer);
        return;
    case HL_INDEX_VALUE_TEXT:
        hl_sqlite_bind_text(statement, index, value->text);
        return;
    case HL_INDEX_VALUE_ID:
        hl_sqlite_bind_id(statement, index, value->id);
        return;
    }
    HL_NEVER("a kind of value");
}

int hl_index_sql_prepare(struct hl_index_sql *sql, sqlite3 *db, sqlite3_stmt **out_statement)
{
    hl_buffer_append(&sql->text, "", 1);
    if (hl_buffer_failed(&sql->text))
        return -ENOMEM;
    int r = hl_sqlite_prepare(db, sql->text.data, out_statement);
    for (size_t i = 0; r == 0 && i < sql->n_values; i++)
        bind_value(*out_statement, (int)i + 1, &sql->values[i]);
    return r;
}

int hl_index_sql_read_integer(struct hl_index_sql *sql, sqlite3 *db, int64_t *out_value)
{
    sqlite3_stmt *statement = NULL;
    int r = hl_index_sql_prepare(sql, db, &statement);

    *out_value = 0;
    if (r == 0)
        r = hl_sqlite_step(statement);
    if (r == 0)
        *out_value = sqlite3_column_int64(statement, 0);
    (void)sqlite3_finalize(statement);
    return r == HL_SQLITE_NO_ROW ? 0 : r;
}
