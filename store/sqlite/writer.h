/* The writer thread: takes submits from a bounded queue, commits all that wait as one group,
 * then hands the group back to the loops. While one group is being synced the next gathers.
 * Thread: each function says. */
#ifndef HL_STORE_SQLITE_WRITER_H
#define HL_STORE_SQLITE_WRITER_H

#include "base/clock.h"
#include "store/mark_table.h"
#include "store/sqlite/appender.h"

struct hl_sqlite_writer;

struct hl_sqlite_writer_config {
    const char *path; /* of the data file; lent; its disk must have disk_free_min bytes left */
    sqlite3 *db;      /* the writer's from start to stop */
    const struct hl_clock *clock;
    const uint8_t *chain_key;
    const uint8_t *region_key;
    const struct hl_sqlite_meta *meta;
    uint64_t queue_max;
    uint32_t group_max;
    uint64_t disk_free_min;
    void (*on_failed)(void *arg);
    void *arg;
    /* Writer thread: a committed group has destroyed keys; what is left of them is to be swept
     * out of the files. */
    void (*on_destroyed)(void *arg);
    void *on_destroyed_arg;
};

/* 0, -errno. */
int hl_sqlite_writer_start(const struct hl_sqlite_writer_config *config,
                           struct hl_sqlite_writer **out_writer);
/* Completes what was taken, writes the marks, ends the thread. */
void hl_sqlite_writer_stop(struct hl_sqlite_writer *writer);
void hl_sqlite_writer_destroy(struct hl_sqlite_writer *writer); /* stopped; accepts NULL */

/* Any thread. */
int hl_sqlite_writer_submit(struct hl_sqlite_writer *writer, struct hl_log_submit *submit);
void hl_sqlite_writer_mark(struct hl_sqlite_writer *writer, const struct hl_log_mark *mark);
void hl_sqlite_writer_overlay(struct hl_sqlite_writer *writer, struct hl_log_marks *marks);
void hl_sqlite_writer_info(struct hl_sqlite_writer *writer, struct hl_log_info *info);
/* What was committed may not be safe: nothing is taken from now on. */
void hl_sqlite_writer_fail(struct hl_sqlite_writer *writer);
/* Between pause and resume no group is written. Not from the writer's own thread. */
void hl_sqlite_writer_pause(struct hl_sqlite_writer *writer);
void hl_sqlite_writer_resume(struct hl_sqlite_writer *writer);

/* The subscription's loop thread. */
void hl_sqlite_writer_subscribe(struct hl_sqlite_writer *writer,
                                struct hl_log_subscription *subscription);
void hl_sqlite_writer_unsubscribe(struct hl_sqlite_writer *writer,
                                  struct hl_log_subscription *subscription);

#endif
