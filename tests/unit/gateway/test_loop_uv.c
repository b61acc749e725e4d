/* gateway/loop_uv.h: tasks in order, from other threads, and timers. */
#include "gateway/loop_uv.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { THREADS = 4, TASKS = 2000 };

struct job {
    struct hl_task task;
    struct hl_loop_uv *loop;
    int thread, number;
    int *last; /* per thread: the number that ran last */
    int *left;
};

static void run_job(struct hl_task *task)
{
    struct job *job = HL_CONTAINER_OF(task, struct job, task);

    assert_int_equal(job->number, job->last[job->thread] + 1);
    job->last[job->thread] = job->number;
    if (--*job->left == 0)
        hl_loop_uv_stop(job->loop);
}

static void *post_jobs(void *arg)
{
    struct job *jobs = arg;

    for (int i = 0; i < TASKS; i++)
        hl_loop_post(hl_loop_uv_loop(jobs[i].loop), &jobs[i].task);
    return NULL;
}

static void runs_each_threads_tasks_in_order(void **state)
{
    struct hl_loop_uv *loop = NULL;
    struct job *jobs = calloc((size_t)THREADS * TASKS, sizeof(*jobs));
    pthread_t threads[THREADS];
    int last[THREADS] = {0};
    int left = THREADS * TASKS;

    (void)state;
    assert_non_null(jobs);
    assert_int_equal(hl_loop_uv_create(&loop), 0);
    for (int i = 0; i < THREADS * TASKS; i++)
        jobs[i] = (struct job){.task = {.run = run_job},
                               .loop = loop,
                               .thread = i / TASKS,
                               .number = i % TASKS + 1,
                               .last = last,
                               .left = &left};
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, post_jobs, &jobs[(size_t)i * TASKS]), 0);
    hl_loop_uv_run(loop);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(left, 0);
    hl_loop_uv_destroy(loop);
    free(jobs);
}

struct again {
    struct hl_task task;
    struct hl_loop_uv *loop;
    int runs;
};

static void run_again(struct hl_task *task)
{
    struct again *again = HL_CONTAINER_OF(task, struct again, task);

    if (++again->runs < 3)
        hl_loop_post(hl_loop_uv_loop(again->loop), task);
    else
        hl_loop_uv_stop(again->loop);
}

static void lets_a_task_post_itself(void **state)
{
    struct again again = {.task = {.run = run_again}};

    (void)state;
    assert_int_equal(hl_loop_uv_create(&again.loop), 0);
    hl_loop_post(hl_loop_uv_loop(again.loop), &again.task);
    hl_loop_uv_run(again.loop);
    assert_int_equal(again.runs, 3);
    hl_loop_uv_destroy(again.loop);
}

struct ticks {
    struct hl_loop_uv *loop;
    struct hl_loop_timer *timer;
    int n;
};

static void count_tick(void *arg)
{
    struct ticks *ticks = arg;

    if (++ticks->n < 3)
        return;
    hl_loop_timer_stop(ticks->timer);
    hl_loop_uv_stop(ticks->loop);
}

static void repeats_a_timer_until_stopped(void **state)
{
    struct ticks ticks = {.n = 0};

    (void)state;
    assert_int_equal(hl_loop_uv_create(&ticks.loop), 0);
    assert_int_equal(hl_loop_timer_start(ticks.loop, 1, count_tick, &ticks, &ticks.timer), 0);
    hl_loop_uv_run(ticks.loop);
    assert_int_equal(ticks.n, 3);
    hl_loop_uv_destroy(ticks.loop);
}

struct late {
    struct hl_delay delay;
    struct hl_loop_uv *loop;
    int *n_run;
    int place; /* among all: 1 is the first */
};

static void run_late(struct hl_task *task)
{
    struct late *late = HL_CONTAINER_OF(task, struct late, delay.task);

    assert_int_equal(++*late->n_run, late->place);
    if (late->place == 2)
        hl_loop_delay(hl_loop_uv_loop(late->loop), &late[1].delay, 1);
    if (late->place == 3)
        hl_loop_uv_stop(late->loop);
}

static void runs_what_is_delayed_in_its_time(void **state)
{
    struct hl_loop_uv *loop = NULL;
    struct late late[3];
    int n_run = 0;

    (void)state;
    assert_int_equal(hl_loop_uv_create(&loop), 0);
    for (int i = 0; i < 3; i++)
        late[i] = (struct late){{.task = {.run = run_late}}, loop, &n_run, i + 1};
    hl_loop_delay(hl_loop_uv_loop(loop), &late[1].delay, 20);
    hl_loop_delay(hl_loop_uv_loop(loop), &late[0].delay, 1);
    hl_loop_uv_run(loop);
    assert_int_equal(n_run, 3);
    hl_loop_uv_destroy(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_each_threads_tasks_in_order),
        cmocka_unit_test(lets_a_task_post_itself),
        cmocka_unit_test(repeats_a_timer_until_stopped),
        cmocka_unit_test(runs_what_is_delayed_in_its_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
