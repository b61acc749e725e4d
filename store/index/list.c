/* hl_index_query_list: a page of conversations, found along the way that passes by the fewest
 * rows. Each filter with an index is asked how many it leaves, up to a bound; if one leaves few
 * these are fetched and sorted, else rows are looked at in the order asked for. */
#include "base/check.h"
#include "base/result.h"
#include "store/index/query.h"
#include "store/index/schema.h"
#include "store/index/search.h"
#include "store/index/sql.h"
#include "store/index/table.h"

enum { FEW = 2000, FOUND_MAX = 20000, QUERY_TEXT_MAX = 2048 };

enum way { WAY_SORT, WAY_CONTACT, WAY_ASSIGNEE, WAY_INBOX, WAY_SITE, WAY_TAG, WAY_TEXT, WAY_DATE };

struct plan {
    sqlite3 *db;
    const struct hl_index_list *list;
    struct hl_bytes query; /* for FTS5; empty: none */
    enum way way;
    int64_t n_rows; /* along that way, if it is not WAY_SORT */
    size_t tag;     /* WAY_TAG */
    int r;
};

static const char *key_of(enum hl_index_sort sort)
{
    switch (sort) {
    case HL_INDEX_NEWEST:
    case HL_INDEX_OLDEST:
        return "c.opened_ms";
    case HL_INDEX_UPDATED:
        return "c.updated_ms";
    case HL_INDEX_OLDEST_UNANSWERED:
        return "c.waiting_ms";
    case HL_INDEX_DUE:
        return "c.due_ms";
    case HL_INDEX_SORT_END:
        break;
    }
    HL_NEVER("a sort");
}

static bool is_descending(enum hl_index_sort sort)
{
    return sort == HL_INDEX_NEWEST || sort == HL_INDEX_UPDATED;
}

/* The index that a way other than WAY_SORT goes along. */
static const char *index_of(enum way way, const struct hl_index_list *list)
{
    bool is_open = list->status == HL_STATUS_OPEN;

    switch (way) {
    case WAY_CONTACT:
        return "by_contact";
    case WAY_ASSIGNEE:
        return is_open ? "open_by_assignee" : "by_assignee";
    case WAY_INBOX:
        return is_open ? "open_by_inbox" : "by_inbox";
    case WAY_SITE:
        return "by_site";
    case WAY_DATE:
        return "by_opened";
    case WAY_SORT:
    case WAY_TAG:
    case WAY_TEXT:
        break;
    }
    HL_NEVER("a way along an index of conversations");
}

static void probe(struct plan *plan, enum way way, size_t tag, struct hl_index_sql *sql)
{
    int64_t n_rows = 0;

    hl_index_sql_add_integer(sql, " LIMIT ", FEW + 1);
    hl_index_sql_add(sql, ")");
    if (plan->r == 0)
        plan->r = hl_index_sql_read_integer(sql, plan->db, &n_rows);
    hl_index_sql_fini(sql);
    if (plan->r != 0 || n_rows > FEW || (plan->way != WAY_SORT && n_rows >= plan->n_rows))
        return;
    plan->way = way;
    plan->n_rows = n_rows;
    plan->tag = tag;
}

static void probe_id(struct plan *plan, enum way way, const char *condition, const struct hl_id *id)
{
    struct hl_index_sql sql;
    const char *index = index_of(way, plan->list);

    if (hl_id_is_zero(id))
        return;
    hl_index_sql_init(&sql);
    hl_buffer_printf(&sql.text, "SELECT count(*) FROM (SELECT 1 FROM conversations INDEXED BY %s ",
                     index);
    hl_index_sql_add_id(&sql, condition, id);
    if (way != WAY_CONTACT && plan->list->status == HL_STATUS_OPEN)
        hl_index_sql_add(&sql, " AND status = 1");
    probe(plan, way, 0, &sql);
}

static void probe_site(struct plan *plan, const char *site)
{
    struct hl_index_sql sql;

    if (site[0] == '\0')
        return;
    hl_index_sql_init(&sql);
    hl_index_sql_add_text(&sql,
                          "SELECT count(*) FROM (SELECT 1 FROM conversations INDEXED BY by_site "
                          "WHERE site = ",
                          hl_bytes_of(site));
    probe(plan, WAY_SITE, 0, &sql);
}

static void probe_tags(struct plan *plan)
{
    for (size_t i = 0; i < plan->list->n_tags; i++) {
        struct hl_index_sql sql;
        hl_index_sql_init(&sql);
        hl_index_sql_add_text(&sql, "SELECT count(*) FROM (SELECT 1 FROM tags WHERE tag = ",
                              hl_bytes_of(plan->list->tags[i]));
        probe(plan, WAY_TAG, i, &sql);
    }
}

static void add_shifted_text(struct hl_index_sql *sql, const char *select)
{
    hl_index_sql_add(sql, select);
    hl_buffer_printf(&sql->text, "rowid >> %d", (int)HL_INDEX_OFFSET_BITS);
}

static void probe_text(struct plan *plan)
{
    struct hl_index_sql sql;

    if (plan->query.size == 0)
        return;
    hl_index_sql_init(&sql);
    add_shifted_text(&sql, "SELECT count(*) FROM (SELECT DISTINCT ");
    hl_index_sql_add_text(&sql, " FROM texts WHERE texts MATCH ", plan->query);
    probe(plan, WAY_TEXT, 0, &sql);
}

static void add_dates(struct hl_index_sql *sql, const struct hl_index_list *list)
{
    if (list->opened_after_ms != 0)
        hl_index_sql_add_integer(sql, " AND c.opened_ms >= ", list->opened_after_ms);
    if (list->opened_before_ms != 0)
        hl_index_sql_add_integer(sql, " AND c.opened_ms < ", list->opened_before_ms);
}

static void probe_dates(struct plan *plan)
{
    struct hl_index_sql sql;

    if (plan->list->opened_after_ms == 0 && plan->list->opened_before_ms == 0)
        return;
    hl_index_sql_init(&sql);
    hl_index_sql_add(&sql, "SELECT count(*) FROM (SELECT 1 FROM conversations c "
                           "INDEXED BY by_opened WHERE c.opened_ms IS NOT NULL");
    add_dates(&sql, plan->list);
    probe(plan, WAY_DATE, 0, &sql);
}

static void choose_way(struct plan *plan)
{
    plan->way = WAY_SORT;
    probe_id(plan, WAY_CONTACT, "WHERE contact = ", &plan->list->contact);
    probe_id(plan, WAY_ASSIGNEE, "WHERE assignee = ", &plan->list->assignee);
    probe_id(plan, WAY_INBOX, "WHERE inbox = ", &plan->list->inbox);
    probe_site(plan, plan->list->site);
    if (plan->list->site[0] == '\0')
        probe_site(plan, plan->list->read.scope.site);
    probe_tags(plan);
    probe_text(plan);
    probe_dates(plan);
}

/* The index whose order is the one asked for. */
static const char *sort_index(const struct hl_index_list *list)
{
    bool is_open = list->status == HL_STATUS_OPEN;

    switch (list->sort) {
    case HL_INDEX_NEWEST:
    case HL_INDEX_OLDEST:
        if (!hl_id_is_zero(&list->assignee))
            return "by_assignee";
        if (!hl_id_is_zero(&list->contact))
            return "by_contact";
        if (!hl_id_is_zero(&list->inbox))
            return "by_inbox";
        return is_open ? "open_by_opened" : "by_opened";
    case HL_INDEX_UPDATED:
        return is_open ? "open_by_updated" : "by_updated";
    case HL_INDEX_OLDEST_UNANSWERED:
        return "by_waiting";
    case HL_INDEX_DUE:
        return "by_due";
    case HL_INDEX_SORT_END:
        break;
    }
    HL_NEVER("a sort");
}

static void add_source(struct hl_index_sql *sql, const struct plan *plan)
{
    switch (plan->way) {
    case WAY_TAG:
        hl_index_sql_add_text(
            sql, "(SELECT number FROM tags WHERE tag = ", hl_bytes_of(plan->list->tags[plan->tag]));
        hl_index_sql_add(sql, ") w CROSS JOIN conversations c ON c.number = w.number");
        return;
    case WAY_TEXT:
        add_shifted_text(sql, "(SELECT DISTINCT ");
        hl_index_sql_add_text(sql, " AS number FROM texts WHERE texts MATCH ", plan->query);
        hl_index_sql_add(sql, ") w CROSS JOIN conversations c ON c.number = w.number");
        return;
    default:
        hl_index_sql_add(sql, "conversations c INDEXED BY ");
        hl_index_sql_add(sql, plan->way == WAY_SORT ? sort_index(plan->list)
                                                    : index_of(plan->way, plan->list));
        return;
    }
}

static void add_words(struct hl_index_sql *sql, const struct plan *plan)
{
    const struct hl_index_list *list = plan->list;

    for (size_t i = 0; i < list->n_tags; i++) {
        if (plan->way == WAY_TAG && plan->tag == i)
            continue;
        hl_index_sql_add_text(
            sql, " AND EXISTS (SELECT 1 FROM tags WHERE tag = ", hl_bytes_of(list->tags[i]));
        hl_index_sql_add(sql, " AND number = c.number)");
    }
    if (plan->query.size == 0 || plan->way == WAY_TEXT)
        return;
    add_shifted_text(sql, " AND c.number IN (SELECT ");
    hl_index_sql_add_text(sql, " FROM texts WHERE texts MATCH ", plan->query);
    hl_index_sql_add_integer(sql, " ORDER BY rowid DESC LIMIT ", FOUND_MAX);
    hl_index_sql_add(sql, ")");
}

static void add_filters(struct hl_index_sql *sql, const struct plan *plan)
{
    const struct hl_index_list *list = plan->list;

    hl_index_sql_add(sql, " WHERE ");
    hl_index_sql_add(sql, key_of(list->sort));
    hl_index_sql_add(sql, " IS NOT NULL AND c.is_erased = 0");
    if (list->status != 0)
        hl_index_sql_add(sql, list->status == HL_STATUS_OPEN ? " AND c.status = 1"
                                                             : " AND c.status = 2");
    if (list->unassigned_only)
        hl_index_sql_add(sql, " AND c.assignee IS NULL");
    if (!hl_id_is_zero(&list->assignee))
        hl_index_sql_add_id(sql, " AND c.assignee = ", &list->assignee);
    if (!hl_id_is_zero(&list->inbox))
        hl_index_sql_add_id(sql, " AND c.inbox = ", &list->inbox);
    if (!hl_id_is_zero(&list->contact))
        hl_index_sql_add_id(sql, " AND c.contact = ", &list->contact);
    if (list->site[0] != '\0')
        hl_index_sql_add_text(sql, " AND c.site = ", hl_bytes_of(list->site));
    hl_index_sql_add_scope(sql, &list->read.scope);
    add_dates(sql, list);
    add_words(sql, plan);
}

static void add_order(struct hl_index_sql *sql, const struct hl_index_list *list)
{
    const char *key = key_of(list->sort);
    const char *direction = is_descending(list->sort) ? "DESC" : "ASC";

    if (list->has_cursor) {
        hl_buffer_printf(&sql->text, " AND (%s, c.number) %s (", key,
                         is_descending(list->sort) ? "<" : ">");
        hl_index_sql_add_integer(sql, "", list->cursor_key);
        hl_index_sql_add_integer(sql, ", ", (int64_t)list->cursor_number);
        hl_index_sql_add(sql, ")");
    }
    hl_buffer_printf(&sql->text, " ORDER BY %s %s, c.number %s", key, direction, direction);
    hl_index_sql_add_integer(sql, " LIMIT ", (int64_t)list->limit + 1); /* one tells of more */
}

static int64_t key_value(const struct hl_index_list *list, const struct hl_index_conversation *item)
{
    switch (list->sort) {
    case HL_INDEX_NEWEST:
    case HL_INDEX_OLDEST:
        return item->state.opened_ms;
    case HL_INDEX_UPDATED:
        return item->state.updated_ms;
    case HL_INDEX_OLDEST_UNANSWERED:
        return item->state.waiting_since_ms;
    case HL_INDEX_DUE:
        return item->due_ms;
    case HL_INDEX_SORT_END:
        break;
    }
    HL_NEVER("a sort");
}

static int collect_items(sqlite3_stmt *rows, struct hl_index_list *list, uint64_t *out_numbers)
{
    struct hl_index_memory *memory = list->read.memory;
    int r = 0;

    list->items = hl_index_memory_take(memory, list->limit * sizeof(*list->items));
    if (list->items == NULL)
        return -ENOMEM;
    while ((r = hl_sqlite_step(rows)) == 0) {
        if (list->n_items == list->limit) {
            list->has_more = true;
            return 0;
        }
        struct hl_index_conversation *item = &list->items[list->n_items];
        r = hl_index_conversation_load(rows, memory, item, &out_numbers[list->n_items]);
        if (r != 0)
            return r;
        list->next_key = key_value(list, item);
        list->next_number = out_numbers[list->n_items++];
    }
    return r == HL_SQLITE_NO_ROW ? 0 : r;
}

static int run_plan(struct plan *plan, struct hl_index_list *list, uint64_t *out_numbers)
{
    struct hl_index_sql sql;
    sqlite3_stmt *rows = NULL;

    choose_way(plan);
    if (plan->r != 0)
        return plan->r;
    hl_index_sql_init(&sql);
    hl_index_sql_add(&sql, "SELECT " HL_INDEX_COLUMNS " FROM ");
    add_source(&sql, plan);
    add_filters(&sql, plan);
    add_order(&sql, list);
    int r = hl_index_sql_prepare(&sql, plan->db, &rows);
    if (r == 0)
        r = collect_items(rows, list, out_numbers);
    (void)sqlite3_finalize(rows);
    hl_index_sql_fini(&sql);
    return r;
}

int hl_index_query_list(sqlite3 *db, struct hl_index_list *list, uint64_t *out_numbers)
{
    struct plan plan = {.db = db, .list = list};
    struct hl_buffer query;
    int r = 0;

    HL_CHECK(list->limit >= 1 && list->limit <= HL_INDEX_LIMIT_MAX);
    list->n_items = 0;
    list->has_more = false;
    hl_buffer_init(&query, QUERY_TEXT_MAX);
    hl_index_search_write(hl_bytes_of(list->query), &query);
    if (hl_buffer_failed(&query))
        r = -ENOMEM;
    if (r == 0)
        plan.query = hl_bytes_of(query.data);
    if (r == 0)
        r = run_plan(&plan, list, out_numbers);
    hl_buffer_fini(&query);
    return r;
}
