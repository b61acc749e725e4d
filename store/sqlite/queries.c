#include "store/sqlite/queries.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/result.h"
#include "store/sqlite/rows.h"

int hl_sqlite_queries_init(struct hl_sqlite_queries *queries, sqlite3 *db, uint64_t epoch,
                           const uint8_t region_key[HL_SEAL_KEY_SIZE])
{
    const struct {
        sqlite3_stmt **statement;
        const char *sql;
    } table[] = {
        {&queries->begin, "BEGIN"},
        {&queries->commit, "COMMIT"},
        {&queries->by_id, "SELECT " HL_SQLITE_CONVERSATION_COLUMNS
                          " FROM " HL_SQLITE_CONVERSATION_SOURCE " WHERE c.id = ?1"},
        {&queries->by_reference, "SELECT " HL_SQLITE_CONVERSATION_COLUMNS
                                 " FROM " HL_SQLITE_CONVERSATION_SOURCE " WHERE c.reference = ?1"},
        {&queries->page_forward, "SELECT " HL_SQLITE_ENTRY_COLUMNS " FROM entries e "
                                 "WHERE e.conversation = ?1 AND e.offset > ?2 ORDER BY e.offset"},
        {&queries->page_backward,
         "SELECT " HL_SQLITE_ENTRY_COLUMNS " FROM entries e WHERE e.conversation = ?1 "
         "AND e.offset > ?2 AND e.offset < ?3 ORDER BY e.offset DESC"},
        {&queries->scan,
         "SELECT " HL_SQLITE_ENTRY_COLUMNS
         ", c.id, c.floor, c.site, c.inbox, c.number, k.wrapped FROM entries e "
         "CROSS JOIN conversations c ON c.number = e.conversation " HL_SQLITE_KEY_SOURCE
         " WHERE e.position > ?1 ORDER BY e.position"},
        {&queries->head, "SELECT max(position) FROM entries"},
        {&queries->marks, "SELECT role, participant, delivered, read FROM marks "
                          "WHERE conversation = ?1 ORDER BY raised_ms DESC LIMIT ?2"},
    };

    *queries = (struct hl_sqlite_queries){.db = db, .epoch = epoch, .region_key = region_key};
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        int r = hl_sqlite_prepare(db, table[i].sql, table[i].statement);
        if (r != 0)
            return r;
    }
    return 0;
}

/* A batch that grows while rows come in. */
struct collector {
    struct hl_batch *batch;
    size_t capacity;
    size_t bytes;
    uint32_t limit;
    uint32_t bytes_max;
};

static int begin_collecting(struct collector *collector, uint64_t epoch, uint32_t limit,
                            uint32_t bytes_max)
{
    *collector = (struct collector){
        .capacity = limit < 64 ? limit : 64, .limit = limit, .bytes_max = bytes_max};
    collector->batch = hl_batch_create(epoch, collector->capacity);
    if (collector->batch == NULL)
        return -ENOMEM;
    collector->batch->n_entries = 0;
    return 0;
}

static int grow_batch(struct collector *collector)
{
    size_t capacity = collector->capacity * 2;
    struct hl_batch *batch =
        realloc(collector->batch, sizeof(*batch) + capacity * sizeof(batch->entries[0]));

    if (batch == NULL)
        return -ENOMEM;
    collector->batch = batch;
    collector->capacity = capacity;
    return 0;
}

/* Ends the loop over rows just as their end does. */
enum { PAGE_IS_FULL = HL_SQLITE_NO_ROW };

/* 0, PAGE_IS_FULL: the row is not part of it, -errno. */
static int collect_row(struct collector *collector, sqlite3_stmt *row, const struct hl_id *id,
                       const struct hl_seal *seal)
{
    struct hl_batch *batch = collector->batch;
    struct hl_entry *entry = NULL;

    if (batch->n_entries == collector->limit)
        return PAGE_IS_FULL;
    int r = hl_sqlite_read_entry(row, id, seal, &entry);
    if (r != 0)
        return r;
    collector->bytes += entry->body_size;
    if (batch->n_entries > 0 && collector->bytes > collector->bytes_max)
        r = PAGE_IS_FULL;
    else if (batch->n_entries == collector->capacity)
        r = grow_batch(collector);
    if (r != 0) {
        hl_entry_unref(entry);
        return r;
    }
    batch = collector->batch;
    batch->entries[batch->n_entries++] = entry;
    return 0;
}

static void reverse_batch(struct hl_batch *batch)
{
    for (size_t i = 0, j = batch->n_entries; i + 1 < j; i++, j--) {
        struct hl_entry *entry = batch->entries[i];
        batch->entries[i] = batch->entries[j - 1];
        batch->entries[j - 1] = entry;
    }
}

/* Ends a read transaction, whose result is r. */
static int end_transaction(struct hl_sqlite_queries *queries, int r)
{
    int ended = sqlite3_get_autocommit(queries->db) != 0 ? 0 : hl_sqlite_finish(queries->commit);

    /* nothing was written: whatever keeps the transaction open, the next one must find none */
    if (sqlite3_get_autocommit(queries->db) == 0)
        (void)hl_sqlite_run(queries->db, "ROLLBACK");
    return r != 0 ? r : ended;
}

static int find_conversation(const struct hl_sqlite_queries *queries, sqlite3_stmt *find,
                             struct hl_conversation *out_conversation, uint64_t *out_number,
                             struct hl_seal *out_seal)
{
    int r = hl_sqlite_step(find);

    if (r != 0)
        return r == HL_SQLITE_NO_ROW ? HL_LOG_UNKNOWN : r;
    r = hl_sqlite_read_conversation(find, queries->region_key, out_conversation, out_number,
                                    out_seal);
    (void)sqlite3_reset(find);
    return r;
}

static int collect_page(struct hl_sqlite_queries *queries, const struct hl_log_read *read,
                        uint64_t number, const struct hl_seal *seal, struct collector *collector)
{
    sqlite3_stmt *page = read->backward ? queries->page_backward : queries->page_forward;
    uint64_t floor = read->found.floor;
    uint64_t low = read->backward || read->after < floor ? floor : read->after;
    int r = 0;

    hl_sqlite_bind_integer(page, 1, (int64_t)number);
    hl_sqlite_bind_integer(page, 2, low < INT64_MAX ? (int64_t)low : INT64_MAX);
    if (read->backward)
        hl_sqlite_bind_integer(
            page, 3, read->after > 0 && read->after < INT64_MAX ? (int64_t)read->after : INT64_MAX);
    while (r == 0 && (r = hl_sqlite_step(page)) == 0)
        r = collect_row(collector, page, &read->conversation, seal);
    (void)sqlite3_reset(page);
    if (read->backward)
        reverse_batch(collector->batch);
    return r == HL_SQLITE_NO_ROW ? 0 : r;
}

static int read_mark(sqlite3_stmt *row, const struct hl_id *conversation, struct hl_log_mark *mark)
{
    mark->conversation = *conversation;
    mark->participant.role = (uint8_t)sqlite3_column_int(row, 0);
    mark->delivered = (uint64_t)sqlite3_column_int64(row, 2);
    mark->read = (uint64_t)sqlite3_column_int64(row, 3);
    return hl_sqlite_column_id(row, 1, &mark->participant.id) ? 0 : -EBADMSG;
}

static int collect_marks(struct hl_sqlite_queries *queries, uint64_t number,
                         struct hl_log_marks *marks)
{
    int r = 0;

    marks->n_items = 0;
    hl_sqlite_bind_integer(queries->marks, 1, (int64_t)number);
    hl_sqlite_bind_integer(queries->marks, 2, HL_MARKS_MAX);
    while (r == 0 && (r = hl_sqlite_step(queries->marks)) == 0) {
        HL_CHECK(marks->n_items < HL_MARKS_MAX);
        r = read_mark(queries->marks, &marks->conversation, &marks->items[marks->n_items++]);
    }
    (void)sqlite3_reset(queries->marks);
    return r == HL_SQLITE_NO_ROW ? 0 : r;
}

int hl_sqlite_queries_read(struct hl_sqlite_queries *queries, struct hl_log_read *read)
{
    struct collector collector = {.batch = NULL};
    struct hl_seal seal = {.state = HL_SEAL_NONE};
    uint64_t number = 0;
    int r = hl_sqlite_finish(queries->begin);

    if (r != 0)
        return r;
    hl_sqlite_bind_id(queries->by_id, 1, &read->conversation);
    r = find_conversation(queries, queries->by_id, &read->found, &number, &seal);
    if (r == 0)
        r = begin_collecting(&collector, queries->epoch, read->limit, read->bytes_max);
    if (r == 0)
        r = collect_page(queries, read, number, &seal, &collector);
    hl_seal_forget(&seal, sizeof(seal));
    if (r == 0 && read->marks != NULL) {
        read->marks->conversation = read->conversation;
        r = collect_marks(queries, number, read->marks);
    }
    r = end_transaction(queries, r);
    if (r == 0)
        read->batch = collector.batch;
    else
        hl_batch_unref(collector.batch);
    return r;
}

/* Of a scan: the conversation's site and inbox stand behind its id and floor. */
static int collect_placed(struct collector *collector, sqlite3_stmt *row, const struct hl_id *id,
                          const struct hl_seal *seal)
{
    struct hl_place place;
    int r = hl_sqlite_read_place(row, HL_SQLITE_ENTRY_WIDTH + 2, &place);
    if (r == 0)
        r = collect_row(collector, row, id, seal);
    if (r == 0)
        collector->batch->entries[collector->batch->n_entries - 1]->place = place;
    return r;
}

/* The key of the row's conversation; often it is that of the row before. */
static int follow_seal(const struct hl_sqlite_queries *queries, sqlite3_stmt *row,
                       const struct hl_id *id, uint64_t *number, struct hl_seal *seal)
{
    uint64_t other = (uint64_t)sqlite3_column_int64(row, HL_SQLITE_ENTRY_WIDTH + 4);

    if (other == *number)
        return 0;
    *number = other;
    return hl_seal_unwrap(queries->region_key, id,
                          hl_sqlite_column_bytes(row, HL_SQLITE_ENTRY_WIDTH + 5), seal);
}

static int collect_scan(struct hl_sqlite_queries *queries, const struct hl_log_scan *scan,
                        struct collector *collector)
{
    sqlite3_stmt *rows = queries->scan;
    struct hl_seal seal = {.state = HL_SEAL_NONE};
    uint64_t number = 0;
    int r = 0;

    hl_sqlite_bind_integer(rows, 1, scan->after < INT64_MAX ? (int64_t)scan->after : INT64_MAX);
    while (r == 0 && (r = hl_sqlite_step(rows)) == 0) {
        struct hl_id id;
        int64_t floor = sqlite3_column_int64(rows, HL_SQLITE_ENTRY_WIDTH + 1);
        if (!hl_sqlite_column_id(rows, HL_SQLITE_ENTRY_WIDTH, &id))
            r = -EBADMSG;
        else if (sqlite3_column_int64(rows, 1) > floor)
            r = follow_seal(queries, rows, &id, &number, &seal);
        if (r == 0 && sqlite3_column_int64(rows, 1) > floor)
            r = collect_placed(collector, rows, &id, &seal);
    }
    hl_seal_forget(&seal, sizeof(seal));
    (void)sqlite3_reset(rows);
    return r == HL_SQLITE_NO_ROW ? 0 : r;
}

int hl_sqlite_queries_scan(struct hl_sqlite_queries *queries, struct hl_log_scan *scan)
{
    struct collector collector = {.batch = NULL};
    int r = hl_sqlite_finish(queries->begin);

    if (r != 0)
        return r;
    r = begin_collecting(&collector, queries->epoch, scan->limit, scan->bytes_max);
    if (r == 0)
        r = collect_scan(queries, scan, &collector);
    if (r == 0)
        r = hl_sqlite_step(queries->head);
    if (r == 0) {
        scan->head = (uint64_t)sqlite3_column_int64(queries->head, 0);
        (void)sqlite3_reset(queries->head);
    }
    r = end_transaction(queries, r);
    if (r == 0)
        scan->batch = collector.batch;
    else
        hl_batch_unref(collector.batch);
    return r;
}

int hl_sqlite_queries_find(struct hl_sqlite_queries *queries, struct hl_log_find *find)
{
    sqlite3_stmt *statement = queries->by_id;
    uint64_t number = 0;

    if (find->reference[0] != '\0') {
        statement = queries->by_reference;
        hl_sqlite_bind_text(statement, 1, hl_bytes_of(find->reference));
    } else {
        hl_sqlite_bind_id(statement, 1, &find->conversation);
    }
    return find_conversation(queries, statement, &find->found, &number, NULL);
}

int hl_sqlite_queries_marks(struct hl_sqlite_queries *queries, struct hl_log_marks *marks)
{
    struct hl_conversation conversation;
    uint64_t number = 0;

    hl_sqlite_bind_id(queries->by_id, 1, &marks->conversation);
    int r = find_conversation(queries, queries->by_id, &conversation, &number, NULL);
    return r != 0 ? r : collect_marks(queries, number, marks);
}
