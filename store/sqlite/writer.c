#include "store/sqlite/writer.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <time.h>

#include "base/check.h"
#include "base/event.h"
#include "base/result.h"
#include "store/outlet.h"
#include "store/sqlite/group.h"

enum {
    SPACE_CHECK_MS = 250,
    SPACE_LOOK_NS = 500000000, /* when nothing is written */
    MARKS_FULL = HL_MARK_TABLE_MAX / 4 * 3,
    GATHER_GROUP_MIN = 8, /* smaller groups are not waited for */
    GATHER_NS_MAX = 250000,
};
static const int64_t marks_wait_ns = 1000000000;

struct hl_sqlite_writer {
    struct hl_sqlite_writer_config config;
    struct hl_sqlite_appender appender; /* the thread's */
    struct hl_mark_table *marks;
    pthread_t thread;
    /* the thread's */
    uint64_t space_checked_ms;
    bool full;       /* less than disk_free_min is left */
    int last_result; /* of the last group: 0, or why nothing of it was stored */
    bool told_failed;
    size_t last_group;
    int64_t last_commit_ns;
    /* under the lock */
    pthread_mutex_t lock;
    pthread_cond_t wake; /* the thread waits for it */
    pthread_cond_t idle; /* pause waits for it */
    struct hl_list queue;
    size_t n_waiting, n_taken;
    uint64_t taken_since_ms; /* of the oldest one taken */
    size_t wanted;           /* the thread waits for so many submits; 0: it does not wait */
    int64_t marks_due_ns;    /* 0: none wait */
    bool stopping, failed, paused, in_group;
    struct hl_list outlets;
    struct hl_log_info counts;
    int64_t commit_ns_total;
};

static int64_t now_ns(void)
{
    struct timespec now;

    HL_CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void lock_writer(struct hl_sqlite_writer *writer)
{
    HL_CHECK(pthread_mutex_lock(&writer->lock) == 0);
}

static void unlock_writer(struct hl_sqlite_writer *writer)
{
    HL_CHECK(pthread_mutex_unlock(&writer->lock) == 0);
}

/* Waits for `wanted` submits or whatever else happens, until then (0: without end). */
static void wait_until(struct hl_sqlite_writer *writer, size_t wanted, int64_t until_ns)
{
    struct timespec until = {.tv_sec = until_ns / 1000000000, .tv_nsec = until_ns % 1000000000};
    int r = 0;

    writer->wanted = wanted;
    if (until_ns == 0)
        r = pthread_cond_wait(&writer->wake, &writer->lock);
    else
        r = pthread_cond_timedwait(&writer->wake, &writer->lock, &until);
    HL_CHECK(r == 0 || r == ETIMEDOUT);
    writer->wanted = 0;
}

/* Looks at the disk now and then. A disk that cannot be asked counts as not full. */
static void check_space(struct hl_sqlite_writer *writer)
{
    uint64_t now_ms = hl_clock_mono_ms(writer->config.clock);
    struct statvfs space;

    if (writer->config.disk_free_min == 0 ||
        (writer->space_checked_ms != 0 && now_ms - writer->space_checked_ms < SPACE_CHECK_MS))
        return;
    writer->space_checked_ms = now_ms > 0 ? now_ms : 1;
    if (statvfs(writer->config.path, &space) != 0)
        return;
    uint64_t free_bytes = (uint64_t)space.f_bavail * space.f_frsize;
    bool full = free_bytes < writer->config.disk_free_min;
    if (full != writer->full)
        hl_event(full ? HL_EVENT_WARN : HL_EVENT_INFO, full ? "log.disk_full" : "log.disk_free",
                 HL_U64("free", free_bytes), HL_U64("min", writer->config.disk_free_min));
    writer->full = full;
}

/* Every subscribed loop hears of new entries; one that has submits here, of the group's end.
 * A loop that subscribed while the group was written may go without if memory is short. */
static void address_parcels(struct hl_sqlite_writer *writer, struct hl_sqlite_group *group)
{
    for (struct hl_list *at = writer->outlets.next; at != &writer->outlets; at = at->next) {
        struct hl_outlet *outlet = HL_CONTAINER_OF(at, struct hl_outlet, link);
        struct hl_parcel *parcel = NULL;
        if (group->batch->n_entries > 0)
            parcel = hl_parcel_for(&group->parcels, outlet->loop);
        else
            parcel = hl_parcel_find(&group->parcels, outlet->loop);
        if (parcel != NULL)
            hl_parcel_address(parcel, outlet);
    }
}

static void count_group(struct hl_sqlite_writer *writer, const struct hl_sqlite_group *group)
{
    writer->n_taken = 0;
    writer->commit_ns_total += group->commit_ns;
    writer->counts.groups += group->n_submits > 0;
    writer->counts.submits += group->n_stored;
    writer->counts.duplicates += group->n_duplicates;
    writer->counts.refused += group->n_refused;
    writer->counts.position = writer->appender.position;
    writer->counts.writable = !writer->full && writer->last_result != HL_LOG_FULL;
}

/* Posts each submit on its own with the same result, which needs no memory. */
static void post_submits(struct hl_list *submits, int result)
{
    while (!hl_list_is_empty(submits)) {
        struct hl_log_submit *submit =
            HL_CONTAINER_OF(submits->next, struct hl_log_submit, task.link);
        hl_list_remove(&submit->task.link);
        submit->result = result;
        hl_parcel_post_submit(submit);
    }
}

/* Told once, not for every group that meets the same obstacle. */
static void note_result(struct hl_sqlite_writer *writer, int result, int error)
{
    if (result != 0 && result != writer->last_result)
        hl_event(result == -EIO ? HL_EVENT_ERROR : HL_EVENT_WARN,
                 result == -EIO ? "log.commit_failed" : "log.group_refused",
                 HL_I64("errno", -error));
    else if (result == 0 && writer->last_result != 0)
        hl_event(HL_EVENT_INFO, "log.writes_again", HL_U64("position", writer->appender.position));
    writer->last_result = result;
}

/* Without the lock. */
static void run_group(struct hl_sqlite_writer *writer, struct hl_sqlite_group *group)
{
    int r = hl_sqlite_group_prepare(group, writer->config.meta->epoch);

    if (r != 0) {
        post_submits(&group->submits, r);
    } else {
        check_space(writer);
        int64_t wall_ms = hl_clock_wall_ms(writer->config.clock);
        int result =
            hl_sqlite_group_write(group, &writer->appender, writer->marks, wall_ms, writer->full);
        note_result(writer, result, group->error);
        if (result == 0 && writer->appender.sealer.has_destroyed)
            writer->config.on_destroyed(writer->config.on_destroyed_arg);
    }
    writer->last_group = group->n_submits;
    writer->last_commit_ns = group->commit_ns;

    lock_writer(writer);
    writer->failed = writer->failed || writer->last_result == -EIO;
    count_group(writer, group);
    if (r == 0)
        address_parcels(writer, group);
    unlock_writer(writer);
    hl_parcel_post_all(&group->parcels, group->batch);
    hl_batch_unref(group->batch);
}

/* After a large group its senders are about to come back: waiting a moment for half of them
 * saves a sync. Small groups never wait. */
static void gather_group(struct hl_sqlite_writer *writer)
{
    size_t wanted = writer->last_group / 2;
    int64_t wait_ns = writer->last_commit_ns / 4;

    if (writer->last_group < GATHER_GROUP_MIN || writer->n_waiting >= wanted || writer->stopping)
        return;
    wait_until(writer, wanted, now_ns() + (wait_ns < GATHER_NS_MAX ? wait_ns : GATHER_NS_MAX));
}

static bool marks_are_due(const struct hl_sqlite_writer *writer)
{
    if (writer->marks_due_ns == 0)
        return false;
    return writer->stopping || now_ns() >= writer->marks_due_ns;
}

/* Nothing is to be written. A full disk is looked at all the same: who is told to stay away
 * because nothing can be written would never bring the group that finds out otherwise. */
static void wait_idle(struct hl_sqlite_writer *writer)
{
    bool looks = writer->config.disk_free_min > 0 || writer->last_result == HL_LOG_FULL;
    int64_t until_ns = writer->marks_due_ns;
    int64_t look_ns = now_ns() + SPACE_LOOK_NS;

    if (looks && (until_ns == 0 || look_ns < until_ns))
        until_ns = look_ns;
    wait_until(writer, 1, until_ns);
    if (!looks || writer->n_waiting > 0 || now_ns() < look_ns)
        return;
    unlock_writer(writer);
    check_space(writer);
    lock_writer(writer);
    if (writer->last_result == HL_LOG_FULL)
        writer->last_result = 0; /* worth another try */
    writer->counts.writable = !writer->full;
}

/* When the oldest one in the queue was submitted; 0: it is empty. */
static uint64_t find_oldest_ms(const struct hl_sqlite_writer *writer)
{
    if (hl_list_is_empty(&writer->queue))
        return 0;
    return HL_CONTAINER_OF(writer->queue.next, struct hl_log_submit, task.link)->since_ms;
}

/* Until there is a group to write. False: the writer is to stop and nothing is left. */
static bool wait_for_group(struct hl_sqlite_writer *writer)
{
    for (;;) {
        if (writer->failed)
            return !writer->stopping || writer->n_waiting > 0;
        if (writer->paused)
            wait_until(writer, 0, 0);
        else if (writer->n_waiting > 0 || marks_are_due(writer))
            return true;
        else if (writer->stopping)
            return false;
        else
            wait_idle(writer);
    }
}

static void take_group(struct hl_sqlite_writer *writer, struct hl_sqlite_group *group)
{
    writer->taken_since_ms = find_oldest_ms(writer);
    while (!hl_list_is_empty(&writer->queue) && group->n_submits < writer->config.group_max) {
        struct hl_list *link = writer->queue.next;
        hl_list_remove(link);
        hl_list_add(&group->submits, link);
        group->n_submits++;
    }
    writer->n_waiting -= group->n_submits;
    writer->n_taken = group->n_submits;
    group->with_marks = marks_are_due(writer);
    if (group->with_marks)
        writer->marks_due_ns = 0;
}

/* A failed log answers what waits and never writes again. */
static void serve_failed(struct hl_sqlite_writer *writer)
{
    struct hl_list refused;
    bool told = writer->told_failed;

    hl_list_init(&refused);
    while (!hl_list_is_empty(&writer->queue)) {
        struct hl_list *link = writer->queue.next;
        hl_list_remove(link);
        hl_list_add(&refused, link);
    }
    writer->n_waiting = 0;
    writer->told_failed = true;
    unlock_writer(writer);
    post_submits(&refused, HL_LOG_CLOSED);
    if (!told && writer->config.on_failed != NULL)
        writer->config.on_failed(writer->config.arg);
    lock_writer(writer);
    if (!writer->stopping && hl_list_is_empty(&writer->queue))
        wait_until(writer, 1, 0);
}

static void write_next_group(struct hl_sqlite_writer *writer)
{
    struct hl_sqlite_group group;

    hl_sqlite_group_init(&group);
    gather_group(writer);
    if (writer->paused || writer->failed) /* meanwhile */
        return;
    take_group(writer, &group);
    writer->in_group = true;
    unlock_writer(writer);
    run_group(writer, &group);
    lock_writer(writer);
    writer->in_group = false;
    if (group.with_marks && !group.marks_written && !writer->stopping)
        writer->marks_due_ns = now_ns() + marks_wait_ns;
    if (writer->paused)
        HL_CHECK(pthread_cond_broadcast(&writer->idle) == 0);
}

static void *run_writer(void *arg)
{
    struct hl_sqlite_writer *writer = arg;

    lock_writer(writer);
    while (wait_for_group(writer)) {
        if (writer->failed)
            serve_failed(writer);
        else
            write_next_group(writer);
    }
    unlock_writer(writer);
    return NULL;
}

static void fini_writer(struct hl_sqlite_writer *writer)
{
    hl_sqlite_appender_fini(&writer->appender);
    hl_mark_table_destroy(writer->marks);
    free(writer);
}

static void init_locks(struct hl_sqlite_writer *writer)
{
    pthread_condattr_t monotonic;

    HL_CHECK(pthread_condattr_init(&monotonic) == 0);
    HL_CHECK(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    HL_CHECK(pthread_mutex_init(&writer->lock, NULL) == 0);
    HL_CHECK(pthread_cond_init(&writer->wake, &monotonic) == 0);
    HL_CHECK(pthread_cond_init(&writer->idle, NULL) == 0);
    HL_CHECK(pthread_condattr_destroy(&monotonic) == 0);
}

static void fini_locks(struct hl_sqlite_writer *writer)
{
    HL_CHECK(pthread_cond_destroy(&writer->idle) == 0);
    HL_CHECK(pthread_cond_destroy(&writer->wake) == 0);
    HL_CHECK(pthread_mutex_destroy(&writer->lock) == 0);
}

int hl_sqlite_writer_start(const struct hl_sqlite_writer_config *config,
                           struct hl_sqlite_writer **out_writer)
{
    struct hl_sqlite_writer *writer = calloc(1, sizeof(*writer));

    if (writer == NULL)
        return -ENOMEM;
    writer->config = *config;
    hl_list_init(&writer->queue);
    hl_list_init(&writer->outlets);
    int r = hl_sqlite_appender_init(&writer->appender, config->db, config->chain_key,
                                    config->region_key, config->meta);
    if (r == 0)
        r = hl_mark_table_create(&writer->marks);
    if (r != 0) {
        fini_writer(writer);
        return r;
    }
    writer->counts = (struct hl_log_info){.queue_max = config->queue_max,
                                          .epoch = config->meta->epoch,
                                          .boots = config->meta->boots,
                                          .position = writer->appender.position,
                                          .writable = true};
    init_locks(writer);
    r = pthread_create(&writer->thread, NULL, run_writer, writer);
    if (r != 0) {
        fini_locks(writer);
        fini_writer(writer);
        return -r;
    }
    *out_writer = writer;
    return 0;
}

void hl_sqlite_writer_stop(struct hl_sqlite_writer *writer)
{
    lock_writer(writer);
    HL_CHECK(hl_list_is_empty(&writer->outlets)); /* subscribers leave first */
    writer->stopping = true;
    HL_CHECK(pthread_cond_signal(&writer->wake) == 0);
    unlock_writer(writer);
    HL_CHECK(pthread_join(writer->thread, NULL) == 0);
}

void hl_sqlite_writer_destroy(struct hl_sqlite_writer *writer)
{
    if (writer == NULL)
        return;
    fini_locks(writer);
    fini_writer(writer);
}

int hl_sqlite_writer_submit(struct hl_sqlite_writer *writer, struct hl_log_submit *submit)
{
    int r = 0;

    submit->duplicate = false;
    submit->since_ms = hl_clock_mono_ms(writer->config.clock);
    lock_writer(writer);
    if (writer->failed || writer->stopping) {
        r = HL_LOG_CLOSED;
    } else if (writer->n_waiting + writer->n_taken >= writer->config.queue_max) {
        r = HL_LOG_BUSY;
    } else {
        hl_list_add(&writer->queue, &submit->task.link);
        writer->n_waiting++;
        if (writer->n_waiting == writer->wanted)
            HL_CHECK(pthread_cond_signal(&writer->wake) == 0);
    }
    unlock_writer(writer);
    return r;
}

void hl_sqlite_writer_mark(struct hl_sqlite_writer *writer, const struct hl_log_mark *mark)
{
    struct hl_log_mark now = *mark;
    bool raised = false;
    size_t n_marks = hl_mark_table_raise(writer->marks, &now, &raised);

    if (!raised)
        return;
    lock_writer(writer);
    if (n_marks == 1 || n_marks == MARKS_FULL) {
        writer->marks_due_ns = now_ns() + (n_marks == 1 ? marks_wait_ns : 0);
        HL_CHECK(pthread_cond_signal(&writer->wake) == 0);
    }
    for (struct hl_list *at = writer->outlets.next; at != &writer->outlets; at = at->next)
        hl_outlet_tell_mark(HL_CONTAINER_OF(at, struct hl_outlet, link), &now);
    unlock_writer(writer);
}

void hl_sqlite_writer_overlay(struct hl_sqlite_writer *writer, struct hl_log_marks *marks)
{
    hl_mark_table_overlay(writer->marks, marks);
}

void hl_sqlite_writer_info(struct hl_sqlite_writer *writer, struct hl_log_info *info)
{
    uint64_t now_ms = hl_clock_mono_ms(writer->config.clock);

    lock_writer(writer);
    *info = writer->counts;
    info->commit_ms_total = (uint64_t)(writer->commit_ns_total / 1000000);
    info->queue_depth = writer->n_waiting + writer->n_taken;
    if (info->queue_depth > 0) {
        /* a commit that hangs counts as well, with nothing behind it */
        uint64_t since_ms = writer->n_taken > 0 ? writer->taken_since_ms : find_oldest_ms(writer);
        info->oldest_wait_ms = now_ms > since_ms ? now_ms - since_ms : 0;
    }
    info->failed = writer->failed;
    info->writable = info->writable && !writer->failed;
    unlock_writer(writer);
}

void hl_sqlite_writer_fail(struct hl_sqlite_writer *writer)
{
    lock_writer(writer);
    writer->failed = true;
    HL_CHECK(pthread_cond_signal(&writer->wake) == 0);
    unlock_writer(writer);
}

void hl_sqlite_writer_pause(struct hl_sqlite_writer *writer)
{
    lock_writer(writer);
    writer->paused = true;
    while (writer->in_group)
        HL_CHECK(pthread_cond_wait(&writer->idle, &writer->lock) == 0);
    unlock_writer(writer);
}

void hl_sqlite_writer_resume(struct hl_sqlite_writer *writer)
{
    lock_writer(writer);
    writer->paused = false;
    HL_CHECK(pthread_cond_signal(&writer->wake) == 0);
    unlock_writer(writer);
}

static struct hl_outlet *find_outlet(struct hl_sqlite_writer *writer, const struct hl_loop *loop)
{
    for (struct hl_list *at = writer->outlets.next; at != &writer->outlets; at = at->next) {
        struct hl_outlet *outlet = HL_CONTAINER_OF(at, struct hl_outlet, link);
        if (outlet->loop == loop)
            return outlet;
    }
    return NULL;
}

void hl_sqlite_writer_subscribe(struct hl_sqlite_writer *writer,
                                struct hl_log_subscription *subscription)
{
    lock_writer(writer);
    struct hl_outlet *outlet = find_outlet(writer, subscription->loop);
    if (outlet == NULL) {
        outlet = hl_outlet_create(subscription->loop);
        HL_CHECK(outlet != NULL); /* once per loop, when the process starts */
        hl_list_add(&writer->outlets, &outlet->link);
    }
    hl_outlet_add(outlet, subscription);
    unlock_writer(writer);
}

void hl_sqlite_writer_unsubscribe(struct hl_sqlite_writer *writer,
                                  struct hl_log_subscription *subscription)
{
    struct hl_outlet *outlet = subscription->engine;

    lock_writer(writer);
    hl_outlet_remove(outlet, subscription);
    bool last = outlet->n_subscriptions == 0;
    if (last)
        hl_list_remove(&outlet->link);
    unlock_writer(writer);
    if (last)
        hl_outlet_unref(outlet);
}
