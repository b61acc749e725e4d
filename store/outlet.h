/* How a finished group reaches the loops: one parcel, one post per loop. A parcel runs done()
 * of that loop's submits, then on_commit() of that loop's subscriptions.
 *
 * An outlet is what a log knows of one subscribed loop. Its list of subscriptions belongs to
 * the loop's thread; parcels under way keep the outlet alive after the log is gone. */
#ifndef HL_STORE_OUTLET_H
#define HL_STORE_OUTLET_H

#include <pthread.h>
#include <stdatomic.h>

#include "store/log.h"

enum { HL_OUTLET_MARKS_MAX = 256 };

struct hl_outlet {
    atomic_uint refs;
    struct hl_loop *loop;
    struct hl_list subscriptions; /* the loop's thread only */
    size_t n_subscriptions;
    struct hl_list link; /* the log's, under its lock */
    pthread_mutex_t lock;
    struct hl_task marks_task; /* posted while n_marks > 0 */
    size_t n_marks;            /* under the lock, like what waits to be told: */
    struct hl_log_mark marks[HL_OUTLET_MARKS_MAX];
};

struct hl_outlet *hl_outlet_create(struct hl_loop *loop); /* NULL: no memory */
void hl_outlet_unref(struct hl_outlet *outlet);           /* accepts NULL */

/* On the loop's thread. */
void hl_outlet_add(struct hl_outlet *outlet, struct hl_log_subscription *subscription);
void hl_outlet_remove(struct hl_outlet *outlet, struct hl_log_subscription *subscription);

/* Tells on_mark of that loop's subscriptions, soon. One of a participant that still waits is
 * raised; a crowd is dropped. Any thread. */
void hl_outlet_tell_mark(struct hl_outlet *outlet, const struct hl_log_mark *mark);

struct hl_parcel {
    struct hl_task task;
    struct hl_list link; /* among the parcels of a group */
    struct hl_loop *loop;
    struct hl_list submits;   /* by task.link, with result set */
    struct hl_outlet *outlet; /* NULL: nobody on this loop subscribed */
    struct hl_batch *batch;
};

/* The parcel for a loop among those of a group; NULL if there is none. */
struct hl_parcel *hl_parcel_find(struct hl_list *parcels, const struct hl_loop *loop);
/* The same, made if it is not there. NULL: no memory. */
struct hl_parcel *hl_parcel_for(struct hl_list *parcels, struct hl_loop *loop);
/* The outlet's loop hears of the batch by this parcel. */
void hl_parcel_address(struct hl_parcel *parcel, struct hl_outlet *outlet);
/* Posts every parcel to its loop, each with a reference to the batch (may be NULL: no
 * on_commit); they free themselves. The list is empty afterwards. */
void hl_parcel_post_all(struct hl_list *parcels, struct hl_batch *batch);
/* Posts one submit alone, without memory: its done() gets submit->result. */
void hl_parcel_post_submit(struct hl_log_submit *submit);

#endif
