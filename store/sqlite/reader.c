#include "store/sqlite/reader.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/result.h"

struct reader {
    struct hl_sqlite_readers *readers;
    pthread_t thread;
    bool running;
    sqlite3 *db;
    struct hl_sqlite_queries queries;
};

struct hl_sqlite_readers {
    struct hl_sqlite_readers_config config;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    /* under the lock */
    struct hl_list queue; /* of jobs */
    uint64_t n_queued;
    uint64_t n_served;
    bool stopping;
    struct reader items[HL_SQLITE_READERS_MAX];
};

/* A request on its way through the queue and back. */
struct job {
    struct hl_list link;
    struct hl_task task;
    enum hl_sqlite_read_kind kind;
    struct hl_loop *loop;
    union {
        void *any;
        struct hl_log_read *page;
        struct hl_log_scan *scan;
        struct hl_log_find *find;
        struct hl_log_marks *marks;
    } request;
    int result;
};

static void finish_job(struct hl_task *task)
{
    struct job *job = HL_CONTAINER_OF(task, struct job, task);
    struct job done = *job;

    free(job);
    switch (done.kind) {
    case HL_SQLITE_READ_PAGE:
        done.request.page->done(done.request.page, done.result);
        break;
    case HL_SQLITE_READ_SCAN:
        done.request.scan->done(done.request.scan, done.result);
        break;
    case HL_SQLITE_READ_FIND:
        done.request.find->done(done.request.find, done.result);
        break;
    case HL_SQLITE_READ_MARKS:
        done.request.marks->done(done.request.marks, done.result);
        break;
    }
}

static int serve_page(struct reader *reader, struct hl_log_read *read)
{
    int r = hl_sqlite_queries_read(&reader->queries, read);

    if (r == 0 && read->marks != NULL)
        hl_sqlite_writer_overlay(reader->readers->config.writer, read->marks);
    return r;
}

static int serve_marks(struct reader *reader, struct hl_log_marks *marks)
{
    int r = hl_sqlite_queries_marks(&reader->queries, marks);

    if (r == 0)
        hl_sqlite_writer_overlay(reader->readers->config.writer, marks);
    return r;
}

static int serve_job(struct reader *reader, struct job *job)
{
    switch (job->kind) {
    case HL_SQLITE_READ_PAGE:
        return serve_page(reader, job->request.page);
    case HL_SQLITE_READ_SCAN:
        return hl_sqlite_queries_scan(&reader->queries, job->request.scan);
    case HL_SQLITE_READ_FIND:
        return hl_sqlite_queries_find(&reader->queries, job->request.find);
    case HL_SQLITE_READ_MARKS:
        return serve_marks(reader, job->request.marks);
    }
    HL_NEVER("a kind of read");
}

static void lock_readers(struct hl_sqlite_readers *readers)
{
    HL_CHECK(pthread_mutex_lock(&readers->lock) == 0);
}

static void unlock_readers(struct hl_sqlite_readers *readers)
{
    HL_CHECK(pthread_mutex_unlock(&readers->lock) == 0);
}

/* NULL: the readers are to stop and nothing waits. */
static struct job *take_job(struct hl_sqlite_readers *readers)
{
    struct job *job = NULL;

    lock_readers(readers);
    while (hl_list_is_empty(&readers->queue) && !readers->stopping)
        HL_CHECK(pthread_cond_wait(&readers->wake, &readers->lock) == 0);
    if (!hl_list_is_empty(&readers->queue)) {
        job = HL_CONTAINER_OF(readers->queue.next, struct job, link);
        hl_list_remove(&job->link);
        readers->n_queued--;
        readers->n_served++;
    }
    unlock_readers(readers);
    return job;
}

static void *run_reader(void *arg)
{
    struct reader *reader = arg;

    for (struct job *job; (job = take_job(reader->readers)) != NULL;) {
        job->result = serve_job(reader, job);
        job->task.run = finish_job;
        hl_loop_post(job->loop, &job->task);
    }
    return NULL;
}

static int start_reader(struct hl_sqlite_readers *readers, struct reader *reader)
{
    const struct hl_sqlite_readers_config *config = &readers->config;
    int r = hl_sqlite_file_open(config->path, config->vfs, HL_SQLITE_READ, &reader->db);

    reader->readers = readers;
    if (r == 0)
        r = hl_sqlite_run(reader->db, "PRAGMA cache_size = -8192");
    if (r == 0)
        r = hl_sqlite_queries_init(&reader->queries, reader->db, config->epoch, config->region_key);
    if (r == 0)
        r = -pthread_create(&reader->thread, NULL, run_reader, reader);
    reader->running = r == 0;
    return r;
}

int hl_sqlite_readers_start(const struct hl_sqlite_readers_config *config,
                            struct hl_sqlite_readers **out_readers)
{
    struct hl_sqlite_readers *readers = calloc(1, sizeof(*readers));
    int r = 0;

    if (readers == NULL)
        return -ENOMEM;
    HL_CHECK(config->n_readers >= 1 && config->n_readers <= HL_SQLITE_READERS_MAX);
    readers->config = *config;
    hl_list_init(&readers->queue);
    HL_CHECK(pthread_mutex_init(&readers->lock, NULL) == 0);
    HL_CHECK(pthread_cond_init(&readers->wake, NULL) == 0);
    for (uint32_t i = 0; r == 0 && i < config->n_readers; i++)
        r = start_reader(readers, &readers->items[i]);
    if (r != 0) {
        hl_sqlite_readers_stop(readers);
        return r;
    }
    *out_readers = readers;
    return 0;
}

void hl_sqlite_readers_stop(struct hl_sqlite_readers *readers)
{
    if (readers == NULL)
        return;
    lock_readers(readers);
    readers->stopping = true;
    HL_CHECK(pthread_cond_broadcast(&readers->wake) == 0);
    unlock_readers(readers);
    for (size_t i = 0; i < HL_SQLITE_READERS_MAX; i++) {
        if (readers->items[i].running)
            HL_CHECK(pthread_join(readers->items[i].thread, NULL) == 0);
        hl_sqlite_file_close(readers->items[i].db);
    }
    HL_CHECK(pthread_cond_destroy(&readers->wake) == 0);
    HL_CHECK(pthread_mutex_destroy(&readers->lock) == 0);
    free(readers);
}

int hl_sqlite_readers_take(struct hl_sqlite_readers *readers, enum hl_sqlite_read_kind kind,
                           struct hl_loop *loop, void *request)
{
    struct job *job = calloc(1, sizeof(*job));
    int r = 0;

    if (job == NULL)
        return HL_LOG_BUSY;
    job->kind = kind;
    job->loop = loop;
    job->request.any = request;
    lock_readers(readers);
    if (readers->stopping) {
        r = HL_LOG_CLOSED;
    } else if (readers->n_queued >= readers->config.queue_max) {
        r = HL_LOG_BUSY;
    } else {
        hl_list_add(&readers->queue, &job->link);
        readers->n_queued++;
        HL_CHECK(pthread_cond_signal(&readers->wake) == 0);
    }
    unlock_readers(readers);
    if (r != 0)
        free(job);
    return r;
}

uint64_t hl_sqlite_readers_served(struct hl_sqlite_readers *readers)
{
    lock_readers(readers);
    uint64_t n_served = readers->n_served;
    unlock_readers(readers);
    return n_served;
}
