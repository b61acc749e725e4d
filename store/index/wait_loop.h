/* A loop that a thread runs itself while it waits for answers of the log: for threads that may
 * block and have nothing else to do meanwhile. Thread: posting from any; the rest its owner's. */
#ifndef HL_STORE_INDEX_WAIT_LOOP_H
#define HL_STORE_INDEX_WAIT_LOOP_H

#include <pthread.h>
#include <stdbool.h>

#include "base/loop.h"

struct hl_wait_loop {
    struct hl_loop loop; /* first */
    pthread_mutex_t lock;
    pthread_cond_t posted;
    struct hl_list tasks;
};

void hl_wait_loop_init(struct hl_wait_loop *loop);
void hl_wait_loop_fini(struct hl_wait_loop *loop); /* nothing is posted any more */
/* Runs what is posted until a task of it has made *count zero. */
void hl_wait_loop_run(struct hl_wait_loop *loop, const size_t *count);

#endif
