#include "store/index/wait_loop.h"

#include "base/check.h"

static void post_task(struct hl_loop *base, struct hl_task *task)
{
    struct hl_wait_loop *loop = HL_CONTAINER_OF(base, struct hl_wait_loop, loop);

    HL_CHECK(pthread_mutex_lock(&loop->lock) == 0);
    hl_list_add(&loop->tasks, &task->link);
    HL_CHECK(pthread_cond_signal(&loop->posted) == 0);
    HL_CHECK(pthread_mutex_unlock(&loop->lock) == 0);
}

void hl_wait_loop_init(struct hl_wait_loop *loop)
{
    static const struct hl_loop_ops ops = {.post = post_task};

    loop->loop.ops = &ops;
    hl_list_init(&loop->tasks);
    HL_CHECK(pthread_mutex_init(&loop->lock, NULL) == 0);
    HL_CHECK(pthread_cond_init(&loop->posted, NULL) == 0);
}

void hl_wait_loop_fini(struct hl_wait_loop *loop)
{
    HL_CHECK(hl_list_is_empty(&loop->tasks));
    HL_CHECK(pthread_cond_destroy(&loop->posted) == 0);
    HL_CHECK(pthread_mutex_destroy(&loop->lock) == 0);
}

static struct hl_task *take_task(struct hl_wait_loop *loop)
{
    HL_CHECK(pthread_mutex_lock(&loop->lock) == 0);
    while (hl_list_is_empty(&loop->tasks))
        HL_CHECK(pthread_cond_wait(&loop->posted, &loop->lock) == 0);
    struct hl_task *task = HL_CONTAINER_OF(loop->tasks.next, struct hl_task, link);
    hl_list_remove(&task->link);
    HL_CHECK(pthread_mutex_unlock(&loop->lock) == 0);
    return task;
}

void hl_wait_loop_run(struct hl_wait_loop *loop, const size_t *count)
{
    while (*count > 0) {
        struct hl_task *task = take_task(loop);
        task->run(task);
    }
}
