#include "store/index/unread.h"

#include <stdlib.h>

#include "base/result.h"

struct position {
    struct hl_log_marks marks;
    size_t *n_awaited;
    uint64_t number;
    uint64_t read; /* all up to here is known to the agent */
    const struct hl_id *agent;
};

int hl_index_unread_init(struct hl_index_unread *unread, sqlite3 *db, struct hl_log *log,
                         struct hl_wait_loop *loop)
{
    *unread = (struct hl_index_unread){.db = db, .log = log, .loop = loop};
    int r = hl_sqlite_prepare(db, "SELECT offset FROM voices WHERE number = ?1 AND agent = ?2",
                              &unread->voice);
    if (r == 0)
        r = hl_sqlite_prepare(db,
                              "SELECT count(*) FROM (SELECT 1 FROM heard WHERE number = ?1 AND "
                              "offset > ?2 LIMIT ?3)",
                              &unread->count);
    return r;
}

void hl_index_unread_fini(struct hl_index_unread *unread)
{
    (void)sqlite3_finalize(unread->voice);
    (void)sqlite3_finalize(unread->count);
    *unread = (struct hl_index_unread){.db = NULL};
}

static int read_voice(struct hl_index_unread *unread, struct position *position)
{
    hl_sqlite_bind_integer(unread->voice, 1, (int64_t)position->number);
    hl_sqlite_bind_id(unread->voice, 2, position->agent);
    int r = hl_sqlite_step(unread->voice);
    if (r != 0)
        return r == HL_SQLITE_NO_ROW ? 0 : r;
    position->read = (uint64_t)sqlite3_column_int64(unread->voice, 0);
    (void)sqlite3_reset(unread->voice);
    return 0;
}

static int count_behind(struct hl_index_unread *unread, const struct position *position,
                        uint32_t *out_count)
{
    hl_sqlite_bind_integer(unread->count, 1, (int64_t)position->number);
    hl_sqlite_bind_integer(unread->count, 2, (int64_t)position->read);
    hl_sqlite_bind_integer(unread->count, 3, HL_INDEX_UNREAD_MAX);
    int r = hl_sqlite_step(unread->count);
    if (r == 0)
        *out_count = (uint32_t)sqlite3_column_int64(unread->count, 0);
    (void)sqlite3_reset(unread->count);
    return r;
}

static void take_marks(struct hl_log_marks *marks, int r)
{
    struct position *position = HL_CONTAINER_OF(marks, struct position, marks);

    for (size_t i = 0; r == 0 && i < marks->n_items; i++) {
        const struct hl_log_mark *mark = &marks->items[i];
        if (mark->participant.role == HL_ROLE_AGENT &&
            hl_id_equal(&mark->participant.id, position->agent) && mark->read > position->read)
            position->read = mark->read;
    }
    (*position->n_awaited)--;
}

/* Only where something stands behind the agent's own words, read positions matter. */
static int ask_positions(struct hl_index_unread *unread, struct position *positions,
                         struct hl_index_conversation *items, size_t n_items)
{
    size_t n_awaited = 0;
    int r = 0;

    for (size_t i = 0; r == 0 && i < n_items; i++) {
        struct position *position = &positions[i];
        r = read_voice(unread, position);
        if (r == 0)
            r = count_behind(unread, position, &items[i].unread);
        if (r != 0 || items[i].unread == 0)
            continue;
        position->n_awaited = &n_awaited;
        position->marks = (struct hl_log_marks){
            .loop = &unread->loop->loop, .done = take_marks, .conversation = items[i].state.id};
        if (hl_log_marks(unread->log, &position->marks) == 0)
            n_awaited++;
    }
    hl_wait_loop_run(unread->loop, &n_awaited);
    return r;
}

int hl_index_unread_fill(struct hl_index_unread *unread, const struct hl_id *agent,
                         struct hl_index_conversation *items, const uint64_t *numbers,
                         size_t n_items)
{
    if (hl_id_is_zero(agent) || n_items == 0)
        return 0;
    struct position *positions = calloc(n_items, sizeof(*positions));
    if (positions == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < n_items; i++) {
        positions[i].number = numbers[i];
        positions[i].agent = agent;
    }
    int r = ask_positions(unread, positions, items, n_items);
    for (size_t i = 0; r == 0 && i < n_items; i++) {
        if (items[i].unread > 0)
            r = count_behind(unread, &positions[i], &items[i].unread);
    }
    free(positions);
    return r;
}
