/* What we ask of an event loop: to run a task on its thread. The real one is
 * gateway/loop_uv.c; tests and the simulation have their own. */
#ifndef HL_BASE_LOOP_H
#define HL_BASE_LOOP_H

#include "base/list.h"

struct hl_task {
    struct hl_list link; /* the loop's while posted */
    void (*run)(struct hl_task *task);
};

struct hl_loop;

struct hl_loop_ops {
    /* Any thread. Never blocks, never fails: the memory is the caller's until run(). Tasks
     * posted by one thread run once each, in that order, on the loop's thread. */
    void (*post)(struct hl_loop *loop, struct hl_task *task);
};

struct hl_loop { /* implementations embed it as first member */
    const struct hl_loop_ops *ops;
};

static inline void hl_loop_post(struct hl_loop *loop, struct hl_task *task)
{
    loop->ops->post(loop, task);
}

#endif
