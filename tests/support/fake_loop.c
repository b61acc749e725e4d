#include "tests/support/fake_loop.h"

#include <errno.h>
#include <time.h>

#include "base/check.h"

enum { PATIENCE_S = 30 };

static void post_task(struct hl_loop *base, struct hl_task *task)
{
    struct hl_fake_loop *loop = HL_CONTAINER_OF(base, struct hl_fake_loop, loop);

    HL_CHECK(pthread_mutex_lock(&loop->lock) == 0);
    hl_list_add(&loop->tasks, &task->link);
    HL_CHECK(pthread_cond_signal(&loop->posted) == 0);
    HL_CHECK(pthread_mutex_unlock(&loop->lock) == 0);
}

void hl_fake_loop_init(struct hl_fake_loop *loop)
{
    static const struct hl_loop_ops ops = {.post = post_task};

    loop->loop.ops = &ops;
    HL_CHECK(pthread_mutex_init(&loop->lock, NULL) == 0);
    HL_CHECK(pthread_cond_init(&loop->posted, NULL) == 0);
    hl_list_init(&loop->tasks);
}

void hl_fake_loop_fini(struct hl_fake_loop *loop)
{
    HL_CHECK(hl_list_is_empty(&loop->tasks));
    HL_CHECK(pthread_mutex_destroy(&loop->lock) == 0);
    HL_CHECK(pthread_cond_destroy(&loop->posted) == 0);
}

/* Takes the first task; waits for one until the deadline if one is given. NULL: none. */
static struct hl_task *take_task(struct hl_fake_loop *loop, const struct timespec *deadline)
{
    struct hl_task *task = NULL;
    int r = 0;

    HL_CHECK(pthread_mutex_lock(&loop->lock) == 0);
    while (hl_list_is_empty(&loop->tasks) && deadline != NULL && r == 0)
        r = pthread_cond_timedwait(&loop->posted, &loop->lock, deadline);
    HL_CHECK(r == 0 || r == ETIMEDOUT);
    if (!hl_list_is_empty(&loop->tasks)) {
        task = HL_CONTAINER_OF(loop->tasks.next, struct hl_task, link);
        hl_list_remove(&task->link);
    }
    HL_CHECK(pthread_mutex_unlock(&loop->lock) == 0);
    return task;
}

bool hl_fake_loop_run_one(struct hl_fake_loop *loop)
{
    struct hl_task *task = take_task(loop, NULL);

    if (task == NULL)
        return false;
    task->run(task);
    return true;
}

size_t hl_fake_loop_run_all(struct hl_fake_loop *loop)
{
    size_t n = 0;

    while (hl_fake_loop_run_one(loop))
        n++;
    return n;
}

bool hl_fake_loop_run_until(struct hl_fake_loop *loop, const bool *flag)
{
    struct timespec deadline;

    HL_CHECK(clock_gettime(CLOCK_REALTIME, &deadline) == 0);
    deadline.tv_sec += PATIENCE_S;
    while (!*flag) {
        struct hl_task *task = take_task(loop, &deadline);
        if (task == NULL)
            return false;
        task->run(task);
    }
    return true;
}
