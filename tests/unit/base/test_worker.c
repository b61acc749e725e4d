#include "base/worker.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { N_POSTERS = 4, N_TASKS = 2000 };

struct order {
    struct hl_loop *loop;
    unsigned n_run[N_POSTERS]; /* the worker's thread only, until it is joined */
    unsigned n_wrong;
    pthread_t runner;
};

struct step {
    struct hl_task task; /* first */
    struct order *order;
    unsigned poster, number;
};

static void run_step(struct hl_task *task)
{
    struct step *step = HL_CONTAINER_OF(task, struct step, task);
    struct order *order = step->order;
    order->n_wrong += order->n_run[step->poster]++ != step->number;
    order->runner = pthread_self();
    free(step);
}

struct poster {
    struct order *order;
    unsigned number;
};

static void *post_steps(void *arg)
{
    const struct poster *poster = arg;
    for (unsigned i = 0; i < N_TASKS; i++) {
        struct step *step = calloc(1, sizeof(*step));
        assert_non_null(step);
        step->order = poster->order;
        step->poster = poster->number;
        step->number = i;
        step->task.run = run_step;
        hl_loop_post(poster->order->loop, &step->task);
    }
    return NULL;
}

static void test_order_and_stop(void **state)
{
    struct hl_worker *worker = NULL;
    struct order order = {0};
    struct poster posters[N_POSTERS];
    pthread_t threads[N_POSTERS];
    (void)state;
    assert_int_equal(hl_worker_create("test", &worker), 0);
    order.loop = hl_worker_loop(worker);
    for (unsigned i = 0; i < N_POSTERS; i++) {
        posters[i] = (struct poster){&order, i};
        assert_int_equal(pthread_create(&threads[i], NULL, post_steps, &posters[i]), 0);
    }
    for (unsigned i = 0; i < N_POSTERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    hl_worker_destroy(worker);
    for (unsigned i = 0; i < N_POSTERS; i++)
        assert_int_equal(order.n_run[i], N_TASKS);
    assert_int_equal(order.n_wrong, 0);
    assert_false(pthread_equal(order.runner, pthread_self()));
}

/* A task that posts itself again: stopping waits for the last round. */
struct chain {
    struct hl_task task; /* first */
    struct hl_loop *loop;
    unsigned n_left;
};

static void run_chain(struct hl_task *task)
{
    struct chain *chain = HL_CONTAINER_OF(task, struct chain, task);
    if (--chain->n_left > 0)
        hl_loop_post(chain->loop, &chain->task);
}

static void test_stop_runs_what_tasks_post(void **state)
{
    struct hl_worker *worker = NULL;
    struct chain chain = {.task = {.run = run_chain}, .n_left = 100};
    (void)state;
    assert_int_equal(hl_worker_create("test", &worker), 0);
    chain.loop = hl_worker_loop(worker);
    hl_loop_post(chain.loop, &chain.task);
    hl_worker_destroy(worker);
    assert_int_equal(chain.n_left, 0);
    hl_worker_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_and_stop),
        cmocka_unit_test(test_stop_runs_what_tasks_post),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
