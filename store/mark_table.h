/* Delivered and read positions that wait to be written: one place per participant of a
 * conversation, so that a thousand receipts cost one row. Two halves: one fills while the
 * other is on its way to the disk. Thread: any; it has a lock of its own. */
#ifndef HL_STORE_MARK_TABLE_H
#define HL_STORE_MARK_TABLE_H

#include <pthread.h>

#include "store/log.h"

enum { HL_MARK_TABLE_MAX = 4096, HL_MARK_TABLE_SLOTS = 2 * HL_MARK_TABLE_MAX };

struct hl_mark_half {
    struct hl_log_mark marks[HL_MARK_TABLE_MAX];
    uint16_t slots[HL_MARK_TABLE_SLOTS]; /* open addressing: index + 1, 0 is free */
    size_t n_marks;
};

struct hl_mark_table {
    pthread_mutex_t lock;
    struct hl_mark_half *filling;
    struct hl_mark_half *flushing; /* empty unless a flush is under way */
    struct hl_mark_half halves[2];
};

int hl_mark_table_create(struct hl_mark_table **out_table); /* 0, -ENOMEM */
void hl_mark_table_destroy(struct hl_mark_table *table);    /* accepts NULL */

/* Dropped if the table is full. How many wait now, this one included. *io_mark becomes what
 * waits for the participant now; *out_raised: whether it raised anything as far as is known. */
size_t hl_mark_table_raise(struct hl_mark_table *table, struct hl_log_mark *io_mark,
                           bool *out_raised);

/* What is to be written: lent until end_flush. Written or not, marks raised meanwhile wait for
 * the next flush; those not written are raised again. */
const struct hl_log_mark *hl_mark_table_begin_flush(struct hl_mark_table *table, size_t *out_n);
void hl_mark_table_end_flush(struct hl_mark_table *table, bool written);

/* Raises marks that were read from the disk to what waits here, and adds those that are only
 * here as long as there is room. */
void hl_mark_table_overlay(struct hl_mark_table *table, struct hl_log_marks *marks);

#endif
