#include "store/outlet.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "store/engine.h"

struct hl_outlet *hl_outlet_create(struct hl_loop *loop)
{
    struct hl_outlet *outlet = calloc(1, sizeof(*outlet));

    if (outlet == NULL)
        return NULL;
    atomic_init(&outlet->refs, 1);
    outlet->loop = loop;
    hl_list_init(&outlet->subscriptions);
    HL_CHECK(pthread_mutex_init(&outlet->lock, NULL) == 0);
    return outlet;
}

static struct hl_outlet *ref_outlet(struct hl_outlet *outlet)
{
    atomic_fetch_add_explicit(&outlet->refs, 1, memory_order_relaxed);
    return outlet;
}

void hl_outlet_unref(struct hl_outlet *outlet)
{
    if (outlet == NULL || atomic_fetch_sub_explicit(&outlet->refs, 1, memory_order_acq_rel) > 1)
        return;
    HL_CHECK(pthread_mutex_destroy(&outlet->lock) == 0);
    free(outlet);
}

void hl_outlet_add(struct hl_outlet *outlet, struct hl_log_subscription *subscription)
{
    subscription->engine = outlet;
    hl_list_add(&outlet->subscriptions, &subscription->link);
    outlet->n_subscriptions++;
}

void hl_outlet_remove(struct hl_outlet *outlet, struct hl_log_subscription *subscription)
{
    HL_CHECK(subscription->engine == outlet && outlet->n_subscriptions > 0);
    hl_list_remove(&subscription->link);
    subscription->engine = NULL;
    outlet->n_subscriptions--;
}

static void tell_subscriptions(struct hl_outlet *outlet, const struct hl_log_mark *mark)
{
    struct hl_list *next = NULL;

    for (struct hl_list *at = outlet->subscriptions.next; at != &outlet->subscriptions; at = next) {
        struct hl_log_subscription *subscription =
            HL_CONTAINER_OF(at, struct hl_log_subscription, link);
        next = at->next;
        if (subscription->on_mark != NULL)
            subscription->on_mark(subscription, mark);
    }
}

static void run_marks(struct hl_task *task)
{
    struct hl_outlet *outlet = HL_CONTAINER_OF(task, struct hl_outlet, marks_task);
    struct hl_log_mark marks[HL_OUTLET_MARKS_MAX];

    HL_CHECK(pthread_mutex_lock(&outlet->lock) == 0);
    size_t n_marks = outlet->n_marks;
    memcpy(marks, outlet->marks, n_marks * sizeof(marks[0]));
    outlet->n_marks = 0;
    HL_CHECK(pthread_mutex_unlock(&outlet->lock) == 0);
    for (size_t i = 0; i < n_marks; i++)
        tell_subscriptions(outlet, &marks[i]);
    hl_outlet_unref(outlet);
}

/* Whether one of the same participant waits; it is raised. */
static bool raise_waiting(struct hl_outlet *outlet, const struct hl_log_mark *mark)
{
    for (size_t i = outlet->n_marks; i > 0; i--) {
        struct hl_log_mark *other = &outlet->marks[i - 1];
        if (!hl_id_equal(&other->conversation, &mark->conversation) ||
            !hl_author_equal(&other->participant, &mark->participant))
            continue;
        (void)hl_engine_raise_mark(other, mark);
        return true;
    }
    return false;
}

void hl_outlet_tell_mark(struct hl_outlet *outlet, const struct hl_log_mark *mark)
{
    HL_CHECK(pthread_mutex_lock(&outlet->lock) == 0);
    bool first = outlet->n_marks == 0;
    if (!raise_waiting(outlet, mark) && outlet->n_marks < HL_OUTLET_MARKS_MAX)
        outlet->marks[outlet->n_marks++] = *mark;
    if (first) {
        outlet->marks_task.run = run_marks;
        hl_loop_post(ref_outlet(outlet)->loop, &outlet->marks_task);
    }
    HL_CHECK(pthread_mutex_unlock(&outlet->lock) == 0);
}

struct hl_parcel *hl_parcel_find(struct hl_list *parcels, const struct hl_loop *loop)
{
    for (struct hl_list *at = parcels->next; at != parcels; at = at->next) {
        struct hl_parcel *parcel = HL_CONTAINER_OF(at, struct hl_parcel, link);
        if (parcel->loop == loop)
            return parcel;
    }
    return NULL;
}

struct hl_parcel *hl_parcel_for(struct hl_list *parcels, struct hl_loop *loop)
{
    struct hl_parcel *parcel = hl_parcel_find(parcels, loop);

    if (parcel != NULL)
        return parcel;
    parcel = calloc(1, sizeof(*parcel));
    if (parcel == NULL)
        return NULL;
    parcel->loop = loop;
    hl_list_init(&parcel->submits);
    hl_list_add(parcels, &parcel->link);
    return parcel;
}

void hl_parcel_address(struct hl_parcel *parcel, struct hl_outlet *outlet)
{
    HL_CHECK(parcel->outlet == NULL && parcel->loop == outlet->loop);
    parcel->outlet = ref_outlet(outlet);
}

static void finish_submits(struct hl_list *submits)
{
    while (!hl_list_is_empty(submits)) {
        struct hl_log_submit *submit =
            HL_CONTAINER_OF(submits->next, struct hl_log_submit, task.link);
        hl_list_remove(&submit->task.link);
        submit->done(submit, submit->result);
    }
}

static void publish_batch(struct hl_outlet *outlet, struct hl_batch *batch)
{
    struct hl_list *next = NULL;

    for (struct hl_list *at = outlet->subscriptions.next; at != &outlet->subscriptions; at = next) {
        struct hl_log_subscription *subscription =
            HL_CONTAINER_OF(at, struct hl_log_subscription, link);
        next = at->next;
        subscription->on_commit(subscription, batch);
    }
}

static void run_parcel(struct hl_task *task)
{
    struct hl_parcel *parcel = HL_CONTAINER_OF(task, struct hl_parcel, task);

    finish_submits(&parcel->submits);
    if (parcel->outlet != NULL && parcel->batch != NULL)
        publish_batch(parcel->outlet, parcel->batch);
    hl_outlet_unref(parcel->outlet);
    hl_batch_unref(parcel->batch);
    free(parcel);
}

void hl_parcel_post_all(struct hl_list *parcels, struct hl_batch *batch)
{
    while (!hl_list_is_empty(parcels)) {
        struct hl_parcel *parcel = HL_CONTAINER_OF(parcels->next, struct hl_parcel, link);
        hl_list_remove(&parcel->link);
        parcel->batch = batch != NULL ? hl_batch_ref(batch) : NULL;
        parcel->task.run = run_parcel;
        hl_loop_post(parcel->loop, &parcel->task);
    }
}

static void run_submit(struct hl_task *task)
{
    struct hl_log_submit *submit = HL_CONTAINER_OF(task, struct hl_log_submit, task);

    submit->done(submit, submit->result);
}

void hl_parcel_post_submit(struct hl_log_submit *submit)
{
    submit->task.run = run_submit;
    hl_loop_post(submit->loop, &submit->task);
}
