/* base/loop.h for tests: a queue of posted tasks that the test's own thread runs, one by one
 * or until something is the case. Posting is safe from any thread; each thread of a test that
 * waits for an engine has a loop of its own. */
#ifndef HL_TESTS_SUPPORT_FAKE_LOOP_H
#define HL_TESTS_SUPPORT_FAKE_LOOP_H

#include <pthread.h>

#include "base/loop.h"

struct hl_fake_loop {
    struct hl_loop loop; /* hand this out */
    pthread_mutex_t lock;
    pthread_cond_t posted;
    struct hl_list tasks;
};

void hl_fake_loop_init(struct hl_fake_loop *loop);
void hl_fake_loop_fini(struct hl_fake_loop *loop); /* its queue must be empty */

bool hl_fake_loop_run_one(struct hl_fake_loop *loop);   /* false: nothing was posted */
size_t hl_fake_loop_run_all(struct hl_fake_loop *loop); /* until nothing is posted; how many ran */

/* Runs tasks, and waits for them, until *flag is true (set by a task, on this thread). False
 * if that takes more than 30 seconds: the test has failed. */
bool hl_fake_loop_run_until(struct hl_fake_loop *loop, const bool *flag);

#endif
