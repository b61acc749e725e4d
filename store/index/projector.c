#include "store/index/projector.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/event.h"
#include "base/result.h"
#include "store/index/applier.h"
#include "store/index/schema.h"
#include "store/index/upkeep.h"
#include "store/index/wait_loop.h"

enum {
    BATCH_ENTRIES = 512,
    BATCH_BYTES = 1024 * 1024,
    DELAY_MS = 200,
    AWAITED_MS = 5, /* how soon to look again while somebody waits */
    RETRY_MS = 1000,
    NICE = 5,
};

struct hl_index_projector {
    struct hl_index_projector_config config;
    struct hl_wait_loop loop;
    struct hl_index_applier applier;
    uint64_t epoch;
    uint64_t applied;
    uint64_t generation;
    uint64_t policy_version;
    bool is_settled;
    uint64_t retry_ms; /* monotonic; not before, after a failure */
    pthread_t thread;
    bool is_running;
    pthread_mutex_t lock;
    pthread_cond_t woken;
    /* under the lock */
    bool is_woken, is_distrusted, is_stopping;
    struct hl_index_stats stats;
};

static void lock_projector(struct hl_index_projector *projector)
{
    HL_CHECK(pthread_mutex_lock(&projector->lock) == 0);
}

static void unlock_projector(struct hl_index_projector *projector)
{
    HL_CHECK(pthread_mutex_unlock(&projector->lock) == 0);
}

/* What the log answers, waited for. */

struct find_call {
    struct hl_log_find find;
    size_t *n_awaited;
    int result;
};

static void take_find(struct hl_log_find *find, int r)
{
    struct find_call *call = HL_CONTAINER_OF(find, struct find_call, find);

    call->result = r;
    (*call->n_awaited)--;
}

static int find_conversations(void *arg, const struct hl_id *ids, size_t n,
                              struct hl_conversation *out_found)
{
    struct hl_index_projector *projector = arg;
    struct find_call *calls = calloc(n, sizeof(*calls));
    size_t n_awaited = 0;
    int r = calls == NULL ? -ENOMEM : 0;

    for (size_t i = 0; r == 0 && i < n; i++) {
        calls[i] = (struct find_call){
            .find = {.loop = &projector->loop.loop, .done = take_find, .conversation = ids[i]},
            .n_awaited = &n_awaited};
        if (hl_log_find(projector->config.index->log, &calls[i].find) == 0)
            n_awaited++;
        else
            r = -EAGAIN;
    }
    hl_wait_loop_run(&projector->loop, &n_awaited);
    for (size_t i = 0; r == 0 && i < n; i++) {
        r = calls[i].result == HL_LOG_UNKNOWN ? -EIO : calls[i].result;
        out_found[i] = calls[i].find.found;
    }
    free(calls);
    return r;
}

struct scan_call {
    struct hl_log_scan scan;
    size_t n_awaited;
    int result;
};

static void take_scan(struct hl_log_scan *scan, int r)
{
    struct scan_call *call = HL_CONTAINER_OF(scan, struct scan_call, scan);

    call->result = r;
    call->n_awaited = 0;
}

static int scan_log(struct hl_index_projector *projector, struct scan_call *call)
{
    *call = (struct scan_call){.scan = {.loop = &projector->loop.loop,
                                        .done = take_scan,
                                        .after = projector->applied,
                                        .limit = BATCH_ENTRIES,
                                        .bytes_max = BATCH_BYTES},
                               .n_awaited = 1};
    if (hl_log_scan(projector->config.index->log, &call->scan) != 0)
        return -EAGAIN;
    hl_wait_loop_run(&projector->loop, &call->n_awaited);
    return call->result;
}

/* The file */

static int open_file(struct hl_index_projector *projector)
{
    const struct hl_index_config *config = projector->config.index;
    struct hl_log_info info;
    sqlite3 *db = NULL;

    hl_log_info(config->log, &info);
    projector->epoch = info.epoch;
    int r = hl_index_file_open(config->path, info.epoch, &db, &projector->applied);
    if (r == 0 && projector->applied > info.position) {
        hl_index_file_close(db); /* the log was set back without saying so */
        return HL_INDEX_FILE_STALE;
    }
    if (r != 0)
        return r;
    memcpy(projector->applier.contact_key, config->contact_key, HL_HASH_KEY_SIZE);
    projector->applier.policy = config->policy;
    projector->applier.find = find_conversations;
    projector->applier.arg = projector;
    r = hl_index_applier_init(&projector->applier, db);
    if (r != 0)
        hl_index_applier_fini(&projector->applier);
    return r == -EBADMSG || r == -EIO ? HL_INDEX_FILE_STALE : r;
}

static void close_file(struct hl_index_projector *projector)
{
    if (projector->applier.db != NULL)
        hl_index_applier_fini(&projector->applier);
    projector->applier = (struct hl_index_applier){.db = NULL};
}

static int rebuild_file(struct hl_index_projector *projector, const char *reason)
{
    const char *path = projector->config.index->path;

    hl_event(HL_EVENT_WARN, "index.rebuild", HL_TEXT("reason", reason), HL_TEXT("file", path));
    close_file(projector);
    projector->applied = 0;
    projector->is_settled = false;
    projector->generation++;
    lock_projector(projector);
    projector->stats.rebuilds++;
    projector->is_distrusted = false;
    unlock_projector(projector);
    int r = hl_index_file_remove(path);
    if (r == 0)
        r = open_file(projector);
    if (r == 0)
        projector->config.on_applied(projector->config.arg, 0, projector->generation);
    return r == HL_INDEX_FILE_STALE ? -EIO : r;
}

/* What is to be done */

static int settle_policy(struct hl_index_projector *projector)
{
    const struct hl_index_policy *policy = &projector->config.index->policy;
    uint64_t version = policy->version == NULL ? 0 : policy->version(policy->arg);

    if (projector->is_settled && version == projector->policy_version)
        return 0;
    int r = hl_index_settle(&projector->applier);
    if (r == HL_INDEX_FILE_STALE)
        r = rebuild_file(projector, "what may be searched has changed");
    projector->policy_version = version;
    projector->is_settled = r == 0;
    return r;
}

static void publish(struct hl_index_projector *projector, size_t n_entries)
{
    lock_projector(projector);
    projector->stats.entries += n_entries;
    projector->stats.batches++;
    projector->stats.applied = projector->applied;
    projector->stats.is_scrubbing = projector->applier.needs_scrub;
    bool is_stopping = projector->is_stopping;
    unlock_projector(projector);
    if (!is_stopping)
        projector->config.on_applied(projector->config.arg, projector->applied,
                                     projector->generation);
}

static bool is_stopping(struct hl_index_projector *projector)
{
    lock_projector(projector);
    bool stops = projector->is_stopping;
    unlock_projector(projector);
    return stops;
}

static int apply_all(struct hl_index_projector *projector)
{
    struct hl_log_info info;

    hl_log_info(projector->config.index->log, &info);
    if (info.epoch != projector->epoch)
        return HL_INDEX_FILE_STALE;
    while (projector->applied < info.position && !is_stopping(projector)) {
        struct scan_call call;
        int r = scan_log(projector, &call);
        if (r != 0)
            return r > 0 ? -EAGAIN : r;
        size_t n_entries = call.scan.batch->n_entries;
        uint64_t reached =
            n_entries == 0 ? call.scan.head : call.scan.batch->entries[n_entries - 1]->position;
        r = hl_index_applier_apply(&projector->applier, call.scan.batch);
        hl_batch_unref(call.scan.batch);
        if (r != 0)
            return r;
        projector->applied = reached;
        publish(projector, n_entries);
        (void)projector->config.on_tick(projector->config.arg);
    }
    return 0;
}

static int do_upkeep(struct hl_index_projector *projector)
{
    int r = settle_policy(projector);

    if (r != 0 || !projector->applier.needs_scrub)
        return r;
    r = hl_index_scrub(&projector->applier);
    lock_projector(projector);
    projector->stats.is_scrubbing = projector->applier.needs_scrub;
    unlock_projector(projector);
    return r == -EBUSY ? 0 : r; /* a reader was in the way: the next round tries again */
}

static int do_round(struct hl_index_projector *projector)
{
    lock_projector(projector);
    bool is_distrusted = projector->is_distrusted;
    unlock_projector(projector);
    if (projector->applier.db == NULL || is_distrusted)
        return rebuild_file(projector, "the file cannot be used");
    int r = settle_policy(projector);
    if (r == 0)
        r = apply_all(projector);
    if (r == 0)
        r = do_upkeep(projector);
    if (r == -EBADMSG)
        return rebuild_file(projector, "the file is damaged");
    if (r == HL_INDEX_FILE_STALE)
        return rebuild_file(projector, "the log is another one");
    return r;
}

static void note_result(struct hl_index_projector *projector, int r)
{
    lock_projector(projector);
    bool is_news = projector->stats.failure != r;
    projector->stats.failure = r;
    unlock_projector(projector);
    projector->retry_ms = r == 0 ? 0 : hl_clock_mono_ms(projector->config.index->clock) + RETRY_MS;
    if (r != 0 && is_news)
        hl_event(HL_EVENT_ERROR, "index.behind", HL_TEXT("why", strerror(-r)),
                 HL_TEXT("note", "lists are refused until it has caught up; it tries again"));
}

/* False: it is to stop. */
static bool await_work(struct hl_index_projector *projector, uint32_t wait_ms)
{
    struct timespec until;

    HL_CHECK(clock_gettime(CLOCK_MONOTONIC, &until) == 0);
    until.tv_sec += wait_ms / 1000;
    until.tv_nsec += (long)(wait_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    int r = 0;
    lock_projector(projector);
    while (!projector->is_woken && !projector->is_stopping && r == 0)
        r = pthread_cond_timedwait(&projector->woken, &projector->lock, &until);
    projector->is_woken = false;
    bool goes_on = !projector->is_stopping;
    unlock_projector(projector);
    HL_CHECK(r == 0 || r == ETIMEDOUT);
    return goes_on;
}

static void *run_projector(void *arg)
{
    struct hl_index_projector *projector = arg;
    const struct hl_index_config *config = projector->config.index;
    uint32_t delay_ms = config->delay_ms != 0 ? config->delay_ms : DELAY_MS;
    bool is_awaited = true;

    (void)pthread_setname_np(pthread_self(), "index");     /* for the operating system's tools */
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICE); /* chat goes first */
    do {
        if (hl_clock_mono_ms(config->clock) >= projector->retry_ms)
            note_result(projector, do_round(projector));
        is_awaited = projector->config.on_tick(projector->config.arg);
    } while (await_work(projector, is_awaited ? AWAITED_MS : delay_ms));
    return NULL;
}

static void init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;

    HL_CHECK(pthread_condattr_init(&attributes) == 0);
    HL_CHECK(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    HL_CHECK(pthread_cond_init(condition, &attributes) == 0);
    HL_CHECK(pthread_condattr_destroy(&attributes) == 0);
}

int hl_index_projector_start(const struct hl_index_projector_config *config, char *why,
                             size_t why_size, struct hl_index_projector **out_projector)
{
    struct hl_index_projector *projector = calloc(1, sizeof(*projector));

    if (projector == NULL)
        return -ENOMEM;
    projector->config = *config;
    projector->generation = 1;
    hl_wait_loop_init(&projector->loop);
    HL_CHECK(pthread_mutex_init(&projector->lock, NULL) == 0);
    init_condition(&projector->woken);
    int r = open_file(projector);
    if (r == HL_INDEX_FILE_STALE)
        r = rebuild_file(projector, "of another log, of another version, or damaged");
    projector->stats.applied = projector->applied;
    if (r == 0)
        config->on_applied(config->arg, projector->applied, projector->generation);
    if (r == 0)
        r = -pthread_create(&projector->thread, NULL, run_projector, projector);
    projector->is_running = r == 0;
    if (r != 0) {
        if (why != NULL && why_size > 0)
            (void)snprintf(why, why_size, "%s: %s", config->index->path, strerror(-r));
        hl_index_projector_stop(projector);
        return r;
    }
    *out_projector = projector;
    return 0;
}

void hl_index_projector_stop(struct hl_index_projector *projector)
{
    if (projector == NULL)
        return;
    lock_projector(projector);
    projector->is_stopping = true;
    HL_CHECK(pthread_cond_signal(&projector->woken) == 0);
    unlock_projector(projector);
    if (projector->is_running)
        HL_CHECK(pthread_join(projector->thread, NULL) == 0);
    close_file(projector);
    hl_wait_loop_fini(&projector->loop);
    HL_CHECK(pthread_cond_destroy(&projector->woken) == 0);
    HL_CHECK(pthread_mutex_destroy(&projector->lock) == 0);
    free(projector);
}

void hl_index_projector_wake(struct hl_index_projector *projector)
{
    lock_projector(projector);
    projector->is_woken = true;
    HL_CHECK(pthread_cond_signal(&projector->woken) == 0);
    unlock_projector(projector);
}

void hl_index_projector_distrust(struct hl_index_projector *projector)
{
    lock_projector(projector);
    projector->is_distrusted = true;
    HL_CHECK(pthread_cond_signal(&projector->woken) == 0);
    unlock_projector(projector);
}

void hl_index_projector_stats(struct hl_index_projector *projector,
                              struct hl_index_stats *out_stats)
{
    lock_projector(projector);
    *out_stats = projector->stats;
    unlock_projector(projector);
}
