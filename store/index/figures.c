/* hl_index_query_tags and hl_index_query_queue: counts. */
#include <stdlib.h>

#include "base/result.h"
#include "store/index/memory.h"
#include "store/index/query.h"
#include "store/index/sql.h"

enum {
    WAITING_MAX = 1000, /* counted */
    ANSWERED_MAX = 500, /* looked at for the median */
    SAMPLES_MAX = 50,   /* taken for it */
};

static int collect_tags(sqlite3_stmt *rows, struct hl_index_tags *tags)
{
    int r = 0;

    tags->n_items = 0;
    tags->items =
        hl_index_memory_take(tags->read.memory, HL_INDEX_TAG_LIST_MAX * sizeof(*tags->items));
    if (tags->items == NULL)
        return -ENOMEM;
    while (tags->n_items < HL_INDEX_TAG_LIST_MAX && (r = hl_sqlite_step(rows)) == 0) {
        struct hl_index_tag *item = &tags->items[tags->n_items++];
        item->count = (uint64_t)sqlite3_column_int64(rows, 1);
        if (!hl_index_memory_copy(tags->read.memory, hl_sqlite_column_bytes(rows, 0), &item->tag))
            return -ENOMEM;
    }
    return r == HL_SQLITE_NO_ROW ? 0 : r;
}

int hl_index_query_tags(sqlite3 *db, struct hl_index_tags *tags)
{
    const struct hl_index_scope *scope = &tags->read.scope;
    struct hl_index_sql sql;
    sqlite3_stmt *rows = NULL;

    hl_index_sql_init(&sql);
    hl_index_sql_add(&sql, "SELECT t.tag, count(*) FROM tags t");
    if (scope->n_inboxes > 0)
        hl_index_sql_add(&sql, " CROSS JOIN conversations c ON c.number = t.number");
    hl_index_sql_add(&sql, " WHERE 1");
    if (tags->site[0] != '\0')
        hl_index_sql_add_text(&sql, " AND t.site = ", hl_bytes_of(tags->site));
    if (scope->n_inboxes > 0)
        hl_index_sql_add_scope(&sql, scope);
    else if (scope->site[0] != '\0')
        hl_index_sql_add_text(&sql, " AND t.site = ", hl_bytes_of(scope->site));
    hl_index_sql_add(&sql, " GROUP BY t.tag ORDER BY 2 DESC, 1");
    int r = hl_index_sql_prepare(&sql, db, &rows);
    if (r == 0)
        r = collect_tags(rows, tags);
    (void)sqlite3_finalize(rows);
    hl_index_sql_fini(&sql);
    return r;
}

static void add_place(struct hl_index_sql *sql, const struct hl_index_queue *queue)
{
    if (queue->site[0] != '\0')
        hl_index_sql_add_text(sql, " AND c.site = ", hl_bytes_of(queue->site));
    if (!hl_id_is_zero(&queue->inbox))
        hl_index_sql_add_id(sql, " AND c.inbox = ", &queue->inbox);
}

static int count_waiting(sqlite3 *db, struct hl_index_queue *queue)
{
    struct hl_index_sql sql;
    int64_t n_waiting = 0;

    hl_index_sql_init(&sql);
    hl_index_sql_add(&sql, "SELECT count(*) FROM (SELECT 1 FROM conversations c "
                           "INDEXED BY by_waiting WHERE c.waiting_ms IS NOT NULL");
    add_place(&sql, queue);
    hl_index_sql_add_integer(&sql, " LIMIT ", WAITING_MAX);
    hl_index_sql_add(&sql, ")");
    int r = hl_index_sql_read_integer(&sql, db, &n_waiting);
    hl_index_sql_fini(&sql);
    queue->n_waiting = (uint64_t)n_waiting;
    return r;
}

static int compare_waits(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;

    return left < right ? -1 : left > right;
}

static int find_median(sqlite3_stmt *rows, int64_t *out_median_ms)
{
    int64_t waits[SAMPLES_MAX];
    size_t n_waits = 0;
    int r = 0;

    while (n_waits < SAMPLES_MAX && (r = hl_sqlite_step(rows)) == 0)
        waits[n_waits++] = sqlite3_column_int64(rows, 0);
    if (r != 0 && r != HL_SQLITE_NO_ROW)
        return r;
    qsort(waits, n_waits, sizeof(waits[0]), compare_waits);
    *out_median_ms = n_waits == 0 ? -1 : waits[n_waits / 2];
    return 0;
}

int hl_index_query_queue(sqlite3 *db, struct hl_index_queue *queue)
{
    struct hl_index_sql sql;
    sqlite3_stmt *rows = NULL;
    int r = count_waiting(db, queue);

    if (r != 0)
        return r;
    hl_index_sql_init(&sql);
    hl_index_sql_add_integer(&sql,
                             "SELECT c.first_response_ms - c.opened_ms FROM (SELECT * FROM "
                             "conversations INDEXED BY by_answered WHERE first_response_ms "
                             "IS NOT NULL ORDER BY first_response_ms DESC LIMIT ",
                             ANSWERED_MAX);
    hl_index_sql_add(&sql, ") c WHERE 1");
    add_place(&sql, queue);
    r = hl_index_sql_prepare(&sql, db, &rows);
    if (r == 0)
        r = find_median(rows, &queue->median_wait_ms);
    (void)sqlite3_finalize(rows);
    hl_index_sql_fini(&sql);
    return r;
}
