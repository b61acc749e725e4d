/* Carries the outbox of directory.db over into the audit log: one entry at a time, in order.
 * A part of struct hl_directory.
 * Thread: the directory's, but kick and look_after from any. */
#ifndef HL_STORE_DIRECTORY_COURIER_H
#define HL_STORE_DIRECTORY_COURIER_H

#include <pthread.h>

#include "store/directory/audit_rows.h"

struct hl_courier {
    pthread_mutex_t lock; /* over the next seven */
    pthread_cond_t idle;
    struct hl_log *log; /* NULL: nobody takes what is in the outbox */
    bool is_running;    /* the task is posted, or an entry is under way */
    bool is_wanted;     /* there may be more than the run has seen */
    bool is_ending;
    bool is_delayed; /* the log did not take it: tried again soon */
    int64_t looked_ms;
    struct hl_task task;
    /* The directory's thread: */
    struct hl_list waiting; /* changes whose entry is not durable yet, in order */
    uint64_t done_number;   /* rows up to here are in the log */
    uint64_t settled_number;
    struct hl_audit_mark mark; /* as it was saved last */
    int64_t marked_ms;
    struct hl_audit_row row; /* under way */
    struct hl_log_opening opening;
    char reference[HL_REFERENCE_SIZE_MAX + 1];
    struct hl_log_submit submit;
};

void hl_courier_init(struct hl_courier *courier);
void hl_courier_fini(struct hl_courier *courier);

/* There may be something to carry over. */
void hl_courier_kick(struct hl_directory *directory);
/* Now and then: tries again what failed, saves the mark once a minute. */
void hl_courier_look_after(struct hl_directory *directory);
/* Finishes a change once its entry is durable. */
void hl_courier_wait(struct hl_directory *directory, struct hl_directory_change *change);

#endif
