/* What we ask of an event loop: to run a task on its thread. The real one is
 * gateway/loop_uv.c; tests and the simulation have their own. */
#ifndef HL_BASE_LOOP_H
#define HL_BASE_LOOP_H

#include <stdint.h>

#include "base/list.h"

struct hl_task {
    struct hl_list link; /* the loop's while posted */
    void (*run)(struct hl_task *task);
};

struct hl_delay { /* a task that runs later */
    struct hl_task task;
    uint64_t due_ms; /* the loop's */
};

struct hl_loop;

struct hl_loop_ops {
    /* Any thread. Never blocks, never fails: the memory is the caller's until run(). Tasks
     * posted by one thread run once each, in that order, on the loop's thread. */
    void (*post)(struct hl_loop *loop, struct hl_task *task);
    /* The loop's thread. The same after that time. NULL: a loop that has none runs it at once. */
    void (*delay)(struct hl_loop *loop, struct hl_delay *delay, uint32_t after_ms);
};

struct hl_loop { /* implementations embed it as first member */
    const struct hl_loop_ops *ops;
};

static inline void hl_loop_post(struct hl_loop *loop, struct hl_task *task)
{
    loop->ops->post(loop, task);
}

/* Loop thread. */
static inline void hl_loop_delay(struct hl_loop *loop, struct hl_delay *delay, uint32_t after_ms)
{
    if (loop->ops->delay != NULL)
        loop->ops->delay(loop, delay, after_ms);
    else
        loop->ops->post(loop, &delay->task);
}

#endif
