/* hl_index_query_get: one conversation. */
#include "store/index/query.h"
#include "store/index/sql.h"
#include "store/index/table.h"

int hl_index_query_get(sqlite3 *db, struct hl_index_get *get, uint64_t *out_number)
{
    struct hl_index_sql sql;
    sqlite3_stmt *row = NULL;

    hl_index_sql_init(&sql);
    hl_index_sql_add_id(
        &sql, "SELECT " HL_INDEX_COLUMNS " FROM conversations c WHERE c.id = ", &get->conversation);
    hl_index_sql_add_scope(&sql, &get->read.scope);
    int r = hl_index_sql_prepare(&sql, db, &row);
    if (r == 0)
        r = hl_sqlite_step(row);
    if (r == HL_SQLITE_NO_ROW)
        r = HL_INDEX_UNKNOWN;
    else if (r == 0)
        r = hl_index_conversation_load(row, get->read.memory, &get->found, out_number);
    (void)sqlite3_finalize(row);
    hl_index_sql_fini(&sql);
    return r;
}
