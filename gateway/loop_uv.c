#include "gateway/loop_uv.h"

#include <pthread.h>
#include <stdlib.h>

#include <uv.h>

#include "base/check.h"
#include "base/result.h"

struct hl_loop_uv {
    struct hl_loop base;
    uv_loop_t uv;
    uv_async_t wake;
    pthread_mutex_t lock; /* guards posted and is_stopping */
    struct hl_list posted;
    bool is_stopping;
    uv_timer_t clock;       /* for the first of: */
    struct hl_list delayed; /* few */
};

struct hl_loop_timer {
    uv_timer_t uv;
    void (*fire)(void *arg);
    void *arg;
};

static void post_task(struct hl_loop *base, struct hl_task *task)
{
    struct hl_loop_uv *loop = HL_CONTAINER_OF(base, struct hl_loop_uv, base);
    bool was_empty;

    HL_CHECK(task->run != NULL);
    pthread_mutex_lock(&loop->lock);
    HL_CHECK(!hl_list_is_linked(&task->link));
    was_empty = hl_list_is_empty(&loop->posted);
    hl_list_add(&loop->posted, &task->link);
    pthread_mutex_unlock(&loop->lock);
    if (was_empty)
        (void)uv_async_send(&loop->wake); /* fails only for a closed handle */
}

static void run_delayed(uv_timer_t *clock);

static void await_delayed(struct hl_loop_uv *loop)
{
    uint64_t now = uv_now(&loop->uv);
    uint64_t first = UINT64_MAX;

    for (struct hl_list *at = loop->delayed.next; at != &loop->delayed; at = at->next) {
        uint64_t due = HL_CONTAINER_OF(at, struct hl_delay, task.link)->due_ms;
        first = due < first ? due : first;
    }
    if (first != UINT64_MAX)
        (void)uv_timer_start(&loop->clock, run_delayed, first > now ? first - now : 0, 0);
}

/* What is delayed meanwhile waits for the next time. */
static void run_delayed(uv_timer_t *clock)
{
    struct hl_loop_uv *loop = clock->data;
    uint64_t now = uv_now(&loop->uv);
    struct hl_list due;

    hl_list_init(&due);
    for (struct hl_list *at = loop->delayed.next, *next; at != &loop->delayed; at = next) {
        next = at->next;
        if (HL_CONTAINER_OF(at, struct hl_delay, task.link)->due_ms > now)
            continue;
        hl_list_remove(at);
        hl_list_add(&due, at);
    }
    while (!hl_list_is_empty(&due)) {
        struct hl_task *task = HL_CONTAINER_OF(due.next, struct hl_task, link);

        hl_list_remove(&task->link);
        task->run(task);
    }
    await_delayed(loop);
}

static void delay_task(struct hl_loop *base, struct hl_delay *delay, uint32_t after_ms)
{
    struct hl_loop_uv *loop = HL_CONTAINER_OF(base, struct hl_loop_uv, base);

    HL_CHECK(delay->task.run != NULL && !hl_list_is_linked(&delay->task.link));
    delay->due_ms = uv_now(&loop->uv) + after_ms;
    hl_list_add(&loop->delayed, &delay->task.link);
    await_delayed(loop);
}

static const struct hl_loop_ops loop_ops = {.post = post_task, .delay = delay_task};

/* Runs what was posted up to now; tasks posted meanwhile wait for the next turn, so that
 * sockets are served in between. */
static void run_posted(uv_async_t *wake)
{
    struct hl_loop_uv *loop = wake->data;
    struct hl_list batch;
    bool is_stopping;

    hl_list_init(&batch);
    pthread_mutex_lock(&loop->lock);
    is_stopping = loop->is_stopping;
    if (!hl_list_is_empty(&loop->posted)) {
        batch = loop->posted;
        batch.next->prev = &batch;
        batch.prev->next = &batch;
        hl_list_init(&loop->posted);
    }
    pthread_mutex_unlock(&loop->lock);
    while (!hl_list_is_empty(&batch)) {
        struct hl_task *task = HL_CONTAINER_OF(batch.next, struct hl_task, link);

        hl_list_remove(&task->link);
        task->run(task);
    }
    if (is_stopping)
        uv_stop(&loop->uv);
}

int hl_loop_uv_create(struct hl_loop_uv **out_loop)
{
    struct hl_loop_uv *loop = calloc(1, sizeof(*loop));

    if (loop == NULL)
        return -ENOMEM;
    loop->base.ops = &loop_ops;
    hl_list_init(&loop->posted);
    hl_list_init(&loop->delayed);
    if (pthread_mutex_init(&loop->lock, NULL) != 0)
        goto fail;
    if (uv_loop_init(&loop->uv) != 0)
        goto fail_lock;
    if (uv_async_init(&loop->uv, &loop->wake, run_posted) != 0)
        goto fail_loop;
    loop->wake.data = loop;
    (void)uv_timer_init(&loop->uv, &loop->clock);
    loop->clock.data = loop;
    *out_loop = loop;
    return 0;
fail_loop:
    (void)uv_loop_close(&loop->uv);
fail_lock:
    pthread_mutex_destroy(&loop->lock);
fail:
    free(loop);
    return -ENOMEM;
}

static bool has_posted(struct hl_loop_uv *loop)
{
    bool has;

    pthread_mutex_lock(&loop->lock);
    has = !hl_list_is_empty(&loop->posted);
    pthread_mutex_unlock(&loop->lock);
    return has;
}

void hl_loop_uv_destroy(struct hl_loop_uv *loop)
{
    if (loop == NULL)
        return;
    while (has_posted(loop))
        (void)uv_run(&loop->uv, UV_RUN_ONCE);
    HL_CHECK(hl_list_is_empty(&loop->delayed));
    uv_close((uv_handle_t *)&loop->wake, NULL);
    uv_close((uv_handle_t *)&loop->clock, NULL);
    (void)uv_run(&loop->uv, UV_RUN_DEFAULT); /* lets close callbacks run */
    HL_CHECK(uv_loop_close(&loop->uv) == 0);
    pthread_mutex_destroy(&loop->lock);
    free(loop);
}

struct hl_loop *hl_loop_uv_loop(struct hl_loop_uv *loop)
{
    return &loop->base;
}

void *hl_loop_uv_handle(struct hl_loop_uv *loop)
{
    return &loop->uv;
}

void hl_loop_uv_run(struct hl_loop_uv *loop)
{
    (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
    pthread_mutex_lock(&loop->lock);
    loop->is_stopping = false;
    pthread_mutex_unlock(&loop->lock);
}

void hl_loop_uv_stop(struct hl_loop_uv *loop)
{
    pthread_mutex_lock(&loop->lock);
    loop->is_stopping = true;
    pthread_mutex_unlock(&loop->lock);
    (void)uv_async_send(&loop->wake);
}

static void fire_timer(uv_timer_t *uv)
{
    struct hl_loop_timer *timer = uv->data;

    timer->fire(timer->arg);
}

static void free_timer(uv_handle_t *handle)
{
    free(handle->data);
}

int hl_loop_timer_start(struct hl_loop_uv *loop, uint32_t every_ms, void (*fire)(void *arg),
                        void *arg, struct hl_loop_timer **out_timer)
{
    struct hl_loop_timer *timer = calloc(1, sizeof(*timer));

    HL_CHECK(every_ms > 0 && fire != NULL);
    if (timer == NULL)
        return -ENOMEM;
    timer->fire = fire;
    timer->arg = arg;
    (void)uv_timer_init(&loop->uv, &timer->uv);
    timer->uv.data = timer;
    (void)uv_timer_start(&timer->uv, fire_timer, every_ms, every_ms);
    *out_timer = timer;
    return 0;
}

void hl_loop_timer_stop(struct hl_loop_timer *timer)
{
    if (timer == NULL)
        return;
    (void)uv_timer_stop(&timer->uv);
    uv_close((uv_handle_t *)&timer->uv, free_timer);
}
