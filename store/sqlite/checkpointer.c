#include "store/sqlite/checkpointer.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/check.h"
#include "base/event.h"
#include "base/result.h"

enum { WAL_FRAME_BYTES = 4096 + 24, READERS_WAIT_MS = 20, SWEEP_MS = 50, SWEEP_MS_MAX = 3200 };

struct hl_sqlite_checkpointer {
    sqlite3 *db;
    sqlite3 *writer_db;
    struct hl_sqlite_writer *writer;
    bool running; /* the thread was started and not stopped */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    int pages_max, pages_step;
    bool due, stopping;   /* under the lock */
    bool sweeping;        /* under the lock: the log is to be emptied */
    uint64_t n_sweeps;    /* under the lock: how often that was asked for */
    int64_t sweep_ms;     /* until the next attempt */
    atomic_int n_pages;   /* in the log, by the last commit */
    atomic_int due_pages; /* next checkpoint when there are so many */
};

static int count_pages(void *arg, sqlite3 *db, const char *name, int n_pages)
{
    struct hl_sqlite_checkpointer *checkpointer = arg;
    int before = atomic_exchange(&checkpointer->n_pages, n_pages);

    (void)db;
    (void)name;
    if (n_pages < before) /* the log began again */
        atomic_store(&checkpointer->due_pages, checkpointer->pages_step);
    if (n_pages < atomic_load(&checkpointer->due_pages))
        return SQLITE_OK;
    atomic_store(&checkpointer->due_pages, n_pages + checkpointer->pages_step);
    HL_CHECK(pthread_mutex_lock(&checkpointer->lock) == 0);
    checkpointer->due = true;
    HL_CHECK(pthread_cond_signal(&checkpointer->wake) == 0);
    HL_CHECK(pthread_mutex_unlock(&checkpointer->lock) == 0);
    return SQLITE_OK;
}

uint64_t hl_sqlite_checkpointer_wal_bytes(const struct hl_sqlite_checkpointer *checkpointer)
{
    return (uint64_t)atomic_load(&checkpointer->n_pages) * WAL_FRAME_BYTES;
}

/* A reader in the way or a full disk is no harm: the log only grows. Anything else may have
 * lost what a sync was to keep: the log must not go on. */
static void judge_result(struct hl_sqlite_checkpointer *checkpointer, int rc)
{
    int r = rc == SQLITE_OK ? 0 : hl_sqlite_error(rc);

    if (r == 0 || r == -EBUSY || r == -ENOMEM)
        return;
    if (r == -ENOSPC) {
        hl_event(HL_EVENT_WARN, "log.checkpoint_full", HL_I64("errno", -r));
        return;
    }
    hl_event(HL_EVENT_ERROR, "log.checkpoint_failed", HL_I64("errno", -r));
    hl_sqlite_writer_fail(checkpointer->writer);
}

static void copy_pages(struct hl_sqlite_checkpointer *checkpointer)
{
    int rc =
        sqlite3_wal_checkpoint_v2(checkpointer->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);

    if (rc == SQLITE_OK && atomic_load(&checkpointer->n_pages) >= checkpointer->pages_max) {
        hl_sqlite_writer_pause(checkpointer->writer);
        rc = sqlite3_wal_checkpoint_v2(checkpointer->db, NULL, SQLITE_CHECKPOINT_RESTART, NULL,
                                       NULL);
        hl_sqlite_writer_resume(checkpointer->writer);
    }
    judge_result(checkpointer, rc);
}

void hl_sqlite_checkpointer_sweep(struct hl_sqlite_checkpointer *checkpointer)
{
    HL_CHECK(pthread_mutex_lock(&checkpointer->lock) == 0);
    checkpointer->sweeping = true;
    checkpointer->n_sweeps++;
    checkpointer->sweep_ms = SWEEP_MS;
    checkpointer->due = true;
    HL_CHECK(pthread_cond_signal(&checkpointer->wake) == 0);
    HL_CHECK(pthread_mutex_unlock(&checkpointer->lock) == 0);
}

bool hl_sqlite_checkpointer_is_sweeping(struct hl_sqlite_checkpointer *checkpointer)
{
    HL_CHECK(pthread_mutex_lock(&checkpointer->lock) == 0);
    bool sweeping = checkpointer->sweeping;
    HL_CHECK(pthread_mutex_unlock(&checkpointer->lock) == 0);
    return sweeping;
}

/* Without the lock. Whether the log is empty. */
static bool empty_log(struct hl_sqlite_checkpointer *checkpointer)
{
    hl_sqlite_writer_pause(checkpointer->writer);
    int rc =
        sqlite3_wal_checkpoint_v2(checkpointer->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    hl_sqlite_writer_resume(checkpointer->writer);
    judge_result(checkpointer, rc);
    return rc == SQLITE_OK;
}

/* With the lock, which is let go meanwhile. A backup may be in the way for long: it is asked
 * less and less often. */
static void sweep(struct hl_sqlite_checkpointer *checkpointer)
{
    uint64_t n_sweeps = checkpointer->n_sweeps;

    HL_CHECK(pthread_mutex_unlock(&checkpointer->lock) == 0);
    bool is_empty = empty_log(checkpointer);
    HL_CHECK(pthread_mutex_lock(&checkpointer->lock) == 0);
    if (is_empty && n_sweeps == checkpointer->n_sweeps)
        checkpointer->sweeping = false;
    else if (checkpointer->sweep_ms < SWEEP_MS_MAX)
        checkpointer->sweep_ms *= 2;
}

static void wait_for_work(struct hl_sqlite_checkpointer *checkpointer)
{
    struct timespec until;

    if (!checkpointer->sweeping) {
        HL_CHECK(pthread_cond_wait(&checkpointer->wake, &checkpointer->lock) == 0);
        return;
    }
    HL_CHECK(clock_gettime(CLOCK_MONOTONIC, &until) == 0);
    int64_t ns = until.tv_nsec + checkpointer->sweep_ms * 1000000;
    until.tv_sec += ns / 1000000000;
    until.tv_nsec = ns % 1000000000;
    int r = pthread_cond_timedwait(&checkpointer->wake, &checkpointer->lock, &until);
    HL_CHECK(r == 0 || r == ETIMEDOUT);
    checkpointer->due = true;
}

static void *run_checkpointer(void *arg)
{
    struct hl_sqlite_checkpointer *checkpointer = arg;

    HL_CHECK(pthread_mutex_lock(&checkpointer->lock) == 0);
    while (!checkpointer->stopping) {
        if (!checkpointer->due) {
            wait_for_work(checkpointer);
            continue;
        }
        checkpointer->due = false;
        if (checkpointer->sweeping) {
            sweep(checkpointer);
            continue;
        }
        HL_CHECK(pthread_mutex_unlock(&checkpointer->lock) == 0);
        copy_pages(checkpointer);
        HL_CHECK(pthread_mutex_lock(&checkpointer->lock) == 0);
    }
    HL_CHECK(pthread_mutex_unlock(&checkpointer->lock) == 0);
    return NULL;
}

int hl_sqlite_checkpointer_create(sqlite3 *db, sqlite3 *writer_db, uint32_t pages_max,
                                  struct hl_sqlite_checkpointer **out_checkpointer)
{
    struct hl_sqlite_checkpointer *checkpointer = calloc(1, sizeof(*checkpointer));

    if (checkpointer == NULL)
        return -ENOMEM;
    checkpointer->db = db;
    checkpointer->writer_db = writer_db;
    checkpointer->pages_max = pages_max < INT_MAX / 2 ? (int)pages_max : INT_MAX / 2;
    checkpointer->pages_step = checkpointer->pages_max / 4 + 1;
    atomic_init(&checkpointer->due_pages, checkpointer->pages_step);
    pthread_condattr_t monotonic;
    HL_CHECK(pthread_mutex_init(&checkpointer->lock, NULL) == 0);
    HL_CHECK(pthread_condattr_init(&monotonic) == 0);
    HL_CHECK(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    HL_CHECK(pthread_cond_init(&checkpointer->wake, &monotonic) == 0);
    HL_CHECK(pthread_condattr_destroy(&monotonic) == 0);
    /* the writer waits during a restart: give readers time to end a page, but not a backup */
    HL_CHECK(sqlite3_busy_timeout(db, READERS_WAIT_MS) == SQLITE_OK);
    (void)sqlite3_wal_hook(writer_db, count_pages, checkpointer);
    *out_checkpointer = checkpointer;
    return 0;
}

void hl_sqlite_checkpointer_destroy(struct hl_sqlite_checkpointer *checkpointer)
{
    if (checkpointer == NULL)
        return;
    HL_CHECK(!checkpointer->running);
    (void)sqlite3_wal_hook(checkpointer->writer_db, NULL, NULL);
    HL_CHECK(pthread_cond_destroy(&checkpointer->wake) == 0);
    HL_CHECK(pthread_mutex_destroy(&checkpointer->lock) == 0);
    free(checkpointer);
}

int hl_sqlite_checkpointer_start(struct hl_sqlite_checkpointer *checkpointer,
                                 struct hl_sqlite_writer *writer)
{
    checkpointer->writer = writer;
    int r = pthread_create(&checkpointer->thread, NULL, run_checkpointer, checkpointer);

    checkpointer->running = r == 0;
    return -r;
}

void hl_sqlite_checkpointer_stop(struct hl_sqlite_checkpointer *checkpointer)
{
    if (checkpointer == NULL || !checkpointer->running)
        return;
    HL_CHECK(pthread_mutex_lock(&checkpointer->lock) == 0);
    checkpointer->stopping = true;
    HL_CHECK(pthread_cond_signal(&checkpointer->wake) == 0);
    HL_CHECK(pthread_mutex_unlock(&checkpointer->lock) == 0);
    HL_CHECK(pthread_join(checkpointer->thread, NULL) == 0);
    checkpointer->running = false;
}
