/* A statement that is put together from parts: text, and values in the order of their marks.
 * Values are lent until it is finalised. Thread: one. */
#ifndef HL_STORE_INDEX_SQL_H
#define HL_STORE_INDEX_SQL_H

#include "store/index.h"
#include "store/sqlite/file.h"

enum { HL_INDEX_VALUES_MAX = 192 };

struct hl_index_sql {
    struct hl_buffer text;
    size_t n_values;
    struct hl_index_value {
        enum { HL_INDEX_VALUE_INTEGER, HL_INDEX_VALUE_TEXT, HL_INDEX_VALUE_ID } kind;
        int64_t integer;
        struct hl_bytes text;
        const struct hl_id *id;
    } values[HL_INDEX_VALUES_MAX];
};

void hl_index_sql_init(struct hl_index_sql *sql);
void hl_index_sql_fini(struct hl_index_sql *sql);
void hl_index_sql_add(struct hl_index_sql *sql, const char *text);
/* Each appends text that ends where the value's mark is to stand, and the mark. */
void hl_index_sql_add_integer(struct hl_index_sql *sql, const char *text, int64_t value);
void hl_index_sql_add_text(struct hl_index_sql *sql, const char *text, struct hl_bytes value);
void hl_index_sql_add_id(struct hl_index_sql *sql, const char *text, const struct hl_id *value);
/* " AND" conditions on a conversation `c`: not beyond the scope. */
void hl_index_sql_add_scope(struct hl_index_sql *sql, const struct hl_index_scope *scope);

/* Prepares and binds; the caller finalises. 0, -errno. */
int hl_index_sql_prepare(struct hl_index_sql *sql, sqlite3 *db, sqlite3_stmt **out_statement);
/* The first column of its first row; 0 if there is none. 0, -errno. */
int hl_index_sql_read_integer(struct hl_index_sql *sql, sqlite3 *db, int64_t *out_value);

#endif
