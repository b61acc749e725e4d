#include "store/sqlite/group.h"

#include <time.h>

#include "base/check.h"
#include "base/result.h"

void hl_sqlite_group_init(struct hl_sqlite_group *group)
{
    *group = (struct hl_sqlite_group){.batch = NULL};
    hl_list_init(&group->submits);
    hl_list_init(&group->parcels);
}

static struct hl_log_submit *submit_of(struct hl_list *link)
{
    return HL_CONTAINER_OF(link, struct hl_log_submit, task.link);
}

int hl_sqlite_group_prepare(struct hl_sqlite_group *group, uint64_t epoch)
{
    group->batch = hl_batch_create(epoch, group->n_submits);
    if (group->batch == NULL)
        return -ENOMEM;
    group->batch->n_entries = 0;
    for (struct hl_list *at = group->submits.next; at != &group->submits; at = at->next) {
        if (hl_parcel_for(&group->parcels, submit_of(at)->loop) == NULL)
            return -ENOMEM;
    }
    return 0;
}

static int64_t now_ns(void)
{
    struct timespec now;

    HL_CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void count_submit(struct hl_sqlite_group *group, struct hl_log_submit *submit)
{
    struct hl_batch *batch = group->batch;

    if (submit->result != 0) {
        group->n_refused++;
    } else if (submit->duplicate) {
        group->n_duplicates++;
    } else {
        group->n_stored++;
        batch->entries[batch->n_entries++] = hl_entry_ref(submit->entry);
    }
}

static int write_submits(struct hl_sqlite_group *group, struct hl_sqlite_appender *appender,
                         int64_t wall_ms, bool full)
{
    for (struct hl_list *at = group->submits.next; at != &group->submits; at = at->next) {
        struct hl_log_submit *submit = submit_of(at);
        submit->result = hl_sqlite_appender_submit(appender, submit, wall_ms, full);
        if (appender->broken)
            return submit->result;
        count_submit(group, submit);
    }
    return 0;
}

static int write_marks(struct hl_sqlite_appender *appender, const struct hl_log_mark *marks,
                       size_t n_marks, int64_t wall_ms)
{
    for (size_t i = 0; i < n_marks; i++) {
        int r = hl_sqlite_appender_mark(appender, &marks[i], wall_ms);
        if (r != 0)
            return r;
    }
    return 0;
}

/* 0 once the group is durable; -errno after it was rolled back. */
static int write_all(struct hl_sqlite_group *group, struct hl_sqlite_appender *appender,
                     struct hl_mark_table *marks, int64_t wall_ms, bool full)
{
    bool flush = group->with_marks && !full;
    size_t n_marks = 0;
    int r = hl_sqlite_appender_begin(appender);

    if (r == 0)
        r = write_submits(group, appender, wall_ms, full);
    if (flush) {
        const struct hl_log_mark *waiting = hl_mark_table_begin_flush(marks, &n_marks);
        if (r == 0)
            r = write_marks(appender, waiting, n_marks, wall_ms);
    }
    int64_t began_ns = now_ns();
    if (r == 0)
        r = hl_sqlite_appender_commit(appender);
    group->commit_ns = now_ns() - began_ns;
    if (r != 0)
        hl_sqlite_appender_roll_back(appender);
    if (flush)
        hl_mark_table_end_flush(marks, r == 0);
    group->marks_written = flush && r == 0;
    return r;
}

/* What everybody in a group that was rolled back is told. */
static int result_of_failure(int r)
{
    switch (r) {
    case 0:
        return 0;
    case -ENOSPC:
        return HL_LOG_FULL;
    case -EBUSY: /* somebody else holds the file */
        return HL_LOG_BUSY;
    case -ENOMEM:
        return -ENOMEM;
    default:
        return -EIO;
    }
}

static void fail_submits(struct hl_sqlite_group *group, int result)
{
    struct hl_batch *batch = group->batch;

    while (batch->n_entries > 0)
        hl_entry_unref(batch->entries[--batch->n_entries]);
    for (struct hl_list *at = group->submits.next; at != &group->submits; at = at->next) {
        struct hl_log_submit *submit = submit_of(at);
        submit->result = result;
        submit->entry->offset = 0; /* as it came, so that it can be submitted again */
        submit->entry->position = 0;
        submit->entry->wall_ms = 0;
    }
    group->n_refused = group->n_submits;
    group->n_stored = 0;
    group->n_duplicates = 0;
}

static void pack_parcels(struct hl_sqlite_group *group)
{
    while (!hl_list_is_empty(&group->submits)) {
        struct hl_log_submit *submit = submit_of(group->submits.next);
        struct hl_parcel *parcel = hl_parcel_find(&group->parcels, submit->loop);
        HL_CHECK(parcel != NULL);
        hl_list_remove(&submit->task.link);
        hl_list_add(&parcel->submits, &submit->task.link);
    }
}

int hl_sqlite_group_write(struct hl_sqlite_group *group, struct hl_sqlite_appender *appender,
                          struct hl_mark_table *marks, int64_t wall_ms, bool full)
{
    int r = write_all(group, appender, marks, wall_ms, full);
    int result = result_of_failure(r);

    if (result != 0)
        fail_submits(group, result);
    group->error = r;
    pack_parcels(group);
    return result;
}
