#include "store/log_memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/result.h"
#include "store/memory_state.h"

enum { QUEUE_MAX_DEFAULT = 65536 };

struct memory_log {
    struct hl_log log;
    struct hl_clock clock;
    uint64_t queue_max;
    struct hl_memory_state state;
    struct hl_list subscriptions;
    struct hl_list deliveries; /* posted to other loops, not yet run */
    uint64_t n_submits;        /* under way */
    uint64_t n_requests;       /* under way, submits and others */
    bool closed;
    struct hl_log_info counts;
};

/* A committed entry or a mark on its way to a subscriber. */
struct delivery {
    struct hl_task task;
    struct hl_list link;
    struct memory_log *log;
    struct hl_log_subscription *subscription; /* NULL once unsubscribed */
    struct hl_batch *batch;                   /* NULL: a mark */
    struct hl_log_mark mark;
};

static struct memory_log *memory_of(struct hl_log *log)
{
    return HL_CONTAINER_OF(log, struct memory_log, log);
}

static void free_if_done(struct memory_log *log)
{
    if (!log->closed || log->n_requests > 0 || !hl_list_is_empty(&log->deliveries))
        return;
    hl_memory_state_fini(&log->state);
    free(log);
}

/* Whether one more request may be taken: 0, HL_LOG_BUSY, HL_LOG_CLOSED. */
static int admit_request(struct memory_log *log, uint64_t under_way)
{
    if (log->closed)
        return HL_LOG_CLOSED;
    if (under_way >= log->queue_max)
        return HL_LOG_BUSY;
    log->n_requests++;
    return 0;
}

static void post_task(struct hl_loop *loop, struct hl_task *task, void (*run)(struct hl_task *))
{
    task->run = run;
    hl_loop_post(loop, task);
}

static void run_delivery(struct hl_task *task)
{
    struct delivery *delivery = HL_CONTAINER_OF(task, struct delivery, task);
    struct memory_log *log = delivery->log;

    if (delivery->subscription != NULL && delivery->batch != NULL)
        delivery->subscription->on_commit(delivery->subscription, delivery->batch);
    else if (delivery->subscription != NULL)
        delivery->subscription->on_mark(delivery->subscription, &delivery->mark);
    hl_batch_unref(delivery->batch);
    hl_list_remove(&delivery->link);
    free(delivery);
    free_if_done(log);
}

/* Without a batch it is about the mark. */
static void post_delivery(struct memory_log *log, struct hl_log_subscription *subscription,
                          struct hl_batch *batch, const struct hl_log_mark *mark)
{
    struct delivery *delivery = calloc(1, sizeof(*delivery));

    HL_CHECK(delivery != NULL);
    delivery->log = log;
    delivery->subscription = subscription;
    if (batch != NULL)
        delivery->batch = hl_batch_ref(batch);
    else
        delivery->mark = *mark;
    hl_list_add(&log->deliveries, &delivery->link);
    post_task(subscription->loop, &delivery->task, run_delivery);
}

/* The group's own loop hears of it at once, the others by a task. */
static void publish_batch(struct memory_log *log, const struct hl_loop *loop,
                          struct hl_batch *batch)
{
    struct hl_list *next = NULL;

    for (struct hl_list *at = log->subscriptions.next; at != &log->subscriptions; at = next) {
        struct hl_log_subscription *subscription =
            HL_CONTAINER_OF(at, struct hl_log_subscription, link);
        next = at->next;
        if (subscription->loop == loop)
            subscription->on_commit(subscription, batch);
        else if (batch->n_entries > 0)
            post_delivery(log, subscription, batch, NULL);
    }
}

static void run_submit(struct hl_task *task)
{
    struct hl_log_submit *submit = HL_CONTAINER_OF(task, struct hl_log_submit, task);
    struct memory_log *log = memory_of(submit->log);
    struct hl_loop *loop = submit->loop;
    int r = hl_memory_state_submit(&log->state, submit, hl_clock_wall_ms(&log->clock));
    bool stored = r == 0 && !submit->duplicate;
    struct hl_batch *batch = hl_batch_create(log->state.epoch, stored);

    HL_CHECK(batch != NULL);
    if (stored)
        batch->entries[0] = hl_entry_ref(submit->entry);
    log->counts.groups++;
    log->counts.submits += stored;
    log->counts.duplicates += r == 0 && submit->duplicate;
    log->counts.refused += r != 0;
    log->n_submits--;
    submit->done(submit, r);
    publish_batch(log, loop, batch);
    hl_batch_unref(batch);
    log->n_requests--;
    free_if_done(log);
}

static int take_submit(struct hl_log *base, struct hl_log_submit *submit)
{
    struct memory_log *log = memory_of(base);
    int r = admit_request(log, log->n_submits);

    if (r != 0)
        return r;
    log->n_submits++;
    submit->log = base;
    submit->duplicate = false;
    post_task(submit->loop, &submit->task, run_submit);
    return 0;
}

/* A request other than a submit has been answered; its memory may be gone. */
static void end_request(struct memory_log *log)
{
    log->counts.reads++;
    log->n_requests--;
    free_if_done(log);
}

static void run_read(struct hl_task *task)
{
    struct hl_log_read *read = HL_CONTAINER_OF(task, struct hl_log_read, task);
    struct memory_log *log = memory_of(read->log);
    struct hl_memory_conversation *found = hl_memory_state_find(&log->state, &read->conversation);

    if (found != NULL)
        hl_memory_state_read(&log->state, found, read);
    read->done(read, found != NULL ? 0 : HL_LOG_UNKNOWN);
    end_request(log);
}

static void run_scan(struct hl_task *task)
{
    struct hl_log_scan *scan = HL_CONTAINER_OF(task, struct hl_log_scan, task);
    struct memory_log *log = memory_of(scan->log);

    hl_memory_state_scan(&log->state, scan);
    scan->done(scan, 0);
    end_request(log);
}

static void run_find(struct hl_task *task)
{
    struct hl_log_find *find = HL_CONTAINER_OF(task, struct hl_log_find, task);
    struct memory_log *log = memory_of(find->log);
    const struct hl_memory_conversation *found =
        find->reference[0] != '\0' ? hl_memory_state_find_reference(&log->state, find->reference)
                                   : hl_memory_state_find(&log->state, &find->conversation);

    if (found != NULL)
        find->found = found->state;
    find->done(find, found != NULL ? 0 : HL_LOG_UNKNOWN);
    end_request(log);
}

static void run_marks(struct hl_task *task)
{
    struct hl_log_marks *marks = HL_CONTAINER_OF(task, struct hl_log_marks, task);
    struct memory_log *log = memory_of(marks->log);
    const struct hl_memory_conversation *found =
        hl_memory_state_find(&log->state, &marks->conversation);

    if (found != NULL)
        hl_memory_state_marks(found, marks);
    marks->done(marks, found != NULL ? 0 : HL_LOG_UNKNOWN);
    end_request(log);
}

static int take_request(struct hl_log *base, struct hl_log **out_log, struct hl_loop *loop,
                        struct hl_task *task, void (*run)(struct hl_task *))
{
    struct memory_log *log = memory_of(base);
    int r = admit_request(log, log->n_requests - log->n_submits);

    if (r != 0)
        return r;
    *out_log = base;
    post_task(loop, task, run);
    return 0;
}

static int take_read(struct hl_log *log, struct hl_log_read *read)
{
    return take_request(log, &read->log, read->loop, &read->task, run_read);
}

static int take_scan(struct hl_log *log, struct hl_log_scan *scan)
{
    return take_request(log, &scan->log, scan->loop, &scan->task, run_scan);
}

static int take_find(struct hl_log *log, struct hl_log_find *find)
{
    return take_request(log, &find->log, find->loop, &find->task, run_find);
}

static int take_marks(struct hl_log *log, struct hl_log_marks *marks)
{
    return take_request(log, &marks->log, marks->loop, &marks->task, run_marks);
}

static void take_mark(struct hl_log *base, const struct hl_log_mark *mark)
{
    struct memory_log *log = memory_of(base);
    struct hl_log_mark now = *mark;

    if (!hl_memory_state_mark(&log->state, &now))
        return;
    for (struct hl_list *at = log->subscriptions.next; at != &log->subscriptions; at = at->next) {
        struct hl_log_subscription *subscription =
            HL_CONTAINER_OF(at, struct hl_log_subscription, link);
        if (subscription->on_mark != NULL)
            post_delivery(log, subscription, NULL, &now);
    }
}

static void add_subscription(struct hl_log *log, struct hl_log_subscription *subscription)
{
    hl_list_add(&memory_of(log)->subscriptions, &subscription->link);
}

static void remove_subscription(struct hl_log *base, struct hl_log_subscription *subscription)
{
    struct memory_log *log = memory_of(base);

    hl_list_remove(&subscription->link);
    for (struct hl_list *at = log->deliveries.next; at != &log->deliveries; at = at->next) {
        struct delivery *delivery = HL_CONTAINER_OF(at, struct delivery, link);
        if (delivery->subscription == subscription)
            delivery->subscription = NULL;
    }
}

static void copy_info(struct hl_log *base, struct hl_log_info *out_info)
{
    const struct memory_log *log = memory_of(base);

    *out_info = log->counts;
    out_info->engine = base->ops->name;
    out_info->durability = HL_DURABILITY_MEMORY;
    out_info->epoch = log->state.epoch;
    out_info->boots = 1;
    out_info->position = log->state.position;
    out_info->queue_depth = log->n_submits;
    out_info->queue_max = log->queue_max;
    out_info->writable = true;
}

static int refuse_backup(struct hl_log *log, const char *path)
{
    (void)log;
    (void)path;
    return -ENOTSUP;
}

static void close_log(struct hl_log *base)
{
    struct memory_log *log = memory_of(base);

    log->closed = true;
    free_if_done(log);
}

int hl_log_memory_open(const struct hl_log_memory_config *config, struct hl_log **out_log)
{
    static const struct hl_log_ops ops = {
        .name = "memory",
        .submit = take_submit,
        .read = take_read,
        .scan = take_scan,
        .find = take_find,
        .mark = take_mark,
        .marks = take_marks,
        .subscribe = add_subscription,
        .unsubscribe = remove_subscription,
        .info = copy_info,
        .backup = refuse_backup,
        .close = close_log,
    };
    struct memory_log *log = calloc(1, sizeof(*log));

    if (log == NULL)
        return -ENOMEM;
    log->log.ops = &ops;
    log->clock = *config->clock;
    log->queue_max = config->queue_max != 0 ? config->queue_max : QUEUE_MAX_DEFAULT;
    hl_list_init(&log->subscriptions);
    hl_list_init(&log->deliveries);
    hl_memory_state_init(&log->state, config->epoch);
    *out_log = &log->log;
    return 0;
}

void hl_log_memory_trim(struct hl_log *log, const struct hl_id *conversation, uint64_t floor)
{
    struct hl_memory_conversation *found =
        hl_memory_state_find(&memory_of(log)->state, conversation);

    HL_CHECK(found != NULL && floor <= found->state.head);
    if (floor > found->state.floor)
        found->state.floor = floor;
}

void hl_log_memory_roll_back(struct hl_log *log, uint64_t position, uint64_t new_epoch)
{
    hl_memory_state_roll_back(&memory_of(log)->state, position, new_epoch);
}
