#include "store/mark_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/result.h"
#include "base/table.h"
#include "store/engine.h"

int hl_mark_table_create(struct hl_mark_table **out_table)
{
    struct hl_mark_table *table = calloc(1, sizeof(*table));

    if (table == NULL)
        return -ENOMEM;
    HL_CHECK(pthread_mutex_init(&table->lock, NULL) == 0);
    table->filling = &table->halves[0];
    table->flushing = &table->halves[1];
    *out_table = table;
    return 0;
}

void hl_mark_table_destroy(struct hl_mark_table *table)
{
    if (table == NULL)
        return;
    HL_CHECK(pthread_mutex_destroy(&table->lock) == 0);
    free(table);
}

static size_t find_slot(const struct hl_mark_half *half, const struct hl_log_mark *mark)
{
    uint8_t key[2 * sizeof(struct hl_id)];

    memcpy(key, mark->conversation.b, sizeof(struct hl_id));
    memcpy(key + sizeof(struct hl_id), mark->participant.id.b, sizeof(struct hl_id));
    size_t at = hl_table_hash(key, sizeof(key)) % HL_MARK_TABLE_SLOTS;
    while (half->slots[at] != 0) {
        const struct hl_log_mark *other = &half->marks[half->slots[at] - 1];
        if (hl_id_equal(&other->conversation, &mark->conversation) &&
            hl_author_equal(&other->participant, &mark->participant))
            break;
        at = (at + 1) % HL_MARK_TABLE_SLOTS;
    }
    return at;
}

/* Whether that changed anything; *io_mark becomes what waits there now. */
static bool raise_in(struct hl_mark_half *half, struct hl_log_mark *io_mark)
{
    size_t slot = find_slot(half, io_mark);

    if (half->slots[slot] != 0) {
        struct hl_log_mark *waiting = &half->marks[half->slots[slot] - 1];
        bool raised = hl_engine_raise_mark(waiting, io_mark);
        *io_mark = *waiting;
        return raised;
    }
    if (half->n_marks == HL_MARK_TABLE_MAX)
        return false;
    half->marks[half->n_marks++] = *io_mark;
    half->slots[slot] = (uint16_t)half->n_marks;
    return true;
}

static void clear_half(struct hl_mark_half *half)
{
    memset(half->slots, 0, sizeof(half->slots));
    half->n_marks = 0;
}

size_t hl_mark_table_raise(struct hl_mark_table *table, struct hl_log_mark *io_mark,
                           bool *out_raised)
{
    HL_CHECK(pthread_mutex_lock(&table->lock) == 0);
    *out_raised = raise_in(table->filling, io_mark);
    size_t n = table->filling->n_marks;
    HL_CHECK(pthread_mutex_unlock(&table->lock) == 0);
    return n;
}

const struct hl_log_mark *hl_mark_table_begin_flush(struct hl_mark_table *table, size_t *out_n)
{
    HL_CHECK(pthread_mutex_lock(&table->lock) == 0);
    HL_CHECK(table->flushing->n_marks == 0);
    struct hl_mark_half *half = table->filling;
    table->filling = table->flushing;
    table->flushing = half;
    HL_CHECK(pthread_mutex_unlock(&table->lock) == 0);
    *out_n = half->n_marks; /* nobody else writes to this half now */
    return half->marks;
}

void hl_mark_table_end_flush(struct hl_mark_table *table, bool written)
{
    HL_CHECK(pthread_mutex_lock(&table->lock) == 0);
    for (size_t i = 0; !written && i < table->flushing->n_marks; i++)
        (void)raise_in(table->filling, &table->flushing->marks[i]);
    clear_half(table->flushing);
    HL_CHECK(pthread_mutex_unlock(&table->lock) == 0);
}

static void overlay_mark(struct hl_log_marks *marks, const struct hl_log_mark *mark)
{
    for (size_t i = 0; i < marks->n_items; i++) {
        if (!hl_author_equal(&marks->items[i].participant, &mark->participant))
            continue;
        (void)hl_engine_raise_mark(&marks->items[i], mark);
        return;
    }
    if (marks->n_items < HL_MARKS_MAX)
        marks->items[marks->n_items++] = *mark;
}

static void overlay_half(const struct hl_mark_half *half, struct hl_log_marks *marks)
{
    for (size_t i = 0; i < half->n_marks; i++) {
        if (hl_id_equal(&half->marks[i].conversation, &marks->conversation))
            overlay_mark(marks, &half->marks[i]);
    }
}

void hl_mark_table_overlay(struct hl_mark_table *table, struct hl_log_marks *marks)
{
    HL_CHECK(pthread_mutex_lock(&table->lock) == 0);
    overlay_half(table->flushing, marks);
    overlay_half(table->filling, marks);
    HL_CHECK(pthread_mutex_unlock(&table->lock) == 0);
}
