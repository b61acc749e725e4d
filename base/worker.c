#include "base/worker.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/result.h"

struct hl_worker {
    struct hl_loop loop; /* first */
    pthread_t thread;
    pthread_mutex_t lock; /* over the rest */
    pthread_cond_t changed;
    struct hl_list tasks;
    bool is_stopping;
};

static void post_task(struct hl_loop *loop, struct hl_task *task)
{
    struct hl_worker *worker = HL_CONTAINER_OF(loop, struct hl_worker, loop);
    pthread_mutex_lock(&worker->lock);
    hl_list_add(&worker->tasks, &task->link);
    pthread_cond_signal(&worker->changed);
    pthread_mutex_unlock(&worker->lock);
}

/* Waits for the next task. NULL: there will be none. */
static struct hl_task *take_task(struct hl_worker *worker)
{
    struct hl_task *task = NULL;
    pthread_mutex_lock(&worker->lock);
    while (hl_list_is_empty(&worker->tasks) && !worker->is_stopping)
        pthread_cond_wait(&worker->changed, &worker->lock);
    if (!hl_list_is_empty(&worker->tasks)) {
        task = HL_CONTAINER_OF(worker->tasks.next, struct hl_task, link);
        hl_list_remove(&task->link);
    }
    pthread_mutex_unlock(&worker->lock);
    return task;
}

static void *run_worker(void *arg)
{
    struct hl_worker *worker = arg;
    for (struct hl_task *task = take_task(worker); task != NULL; task = take_task(worker))
        task->run(task);
    return NULL;
}

int hl_worker_create(const char *name, struct hl_worker **out_worker)
{
    static const struct hl_loop_ops ops = {.post = post_task};
    struct hl_worker *worker = calloc(1, sizeof(*worker));
    if (worker == NULL)
        return -ENOMEM;
    worker->loop.ops = &ops;
    hl_list_init(&worker->tasks);
    HL_CHECK(pthread_mutex_init(&worker->lock, NULL) == 0);
    HL_CHECK(pthread_cond_init(&worker->changed, NULL) == 0);
    int code = pthread_create(&worker->thread, NULL, run_worker, worker);
    if (code != 0) {
        pthread_cond_destroy(&worker->changed);
        pthread_mutex_destroy(&worker->lock);
        free(worker);
        return -code;
    }
    (void)pthread_setname_np(worker->thread, name); /* a longer name stays unset */
    *out_worker = worker;
    return 0;
}

struct hl_loop *hl_worker_loop(struct hl_worker *worker)
{
    return &worker->loop;
}

void hl_worker_destroy(struct hl_worker *worker)
{
    if (worker == NULL)
        return;
    pthread_mutex_lock(&worker->lock);
    worker->is_stopping = true;
    pthread_cond_signal(&worker->changed);
    pthread_mutex_unlock(&worker->lock);
    HL_CHECK(pthread_join(worker->thread, NULL) == 0);
    pthread_cond_destroy(&worker->changed);
    pthread_mutex_destroy(&worker->lock);
    free(worker);
}
