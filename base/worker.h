/* A named thread that is a loop: it runs the tasks posted to it one after another, in order. For
 * work that may block (files, fsync) and must not hold up a gateway loop.
 * Thread: any thread posts; one thread creates and destroys. */
#ifndef HL_BASE_WORKER_H
#define HL_BASE_WORKER_H

#include "base/loop.h"

struct hl_worker;

/* `name`: up to 15 bytes, shown by the operating system's tools; static. 0, -errno. */
int hl_worker_create(const char *name, struct hl_worker **out_worker);
struct hl_loop *hl_worker_loop(struct hl_worker *worker);
/* Runs all that was posted, and what these tasks post, then ends the thread and frees. Nobody
 * else posts any more. Accepts NULL. Not on the worker's own thread. */
void hl_worker_destroy(struct hl_worker *worker);

#endif
