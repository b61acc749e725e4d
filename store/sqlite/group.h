/* One group: submits that are stored in one transaction and handed back together.
 * Thread: the writer's. */
#ifndef HL_STORE_SQLITE_GROUP_H
#define HL_STORE_SQLITE_GROUP_H

#include "store/mark_table.h"
#include "store/outlet.h"
#include "store/sqlite/appender.h"

struct hl_sqlite_group {
    struct hl_list submits; /* in the order taken; in their parcels once written */
    size_t n_submits;
    bool with_marks; /* write those that wait as well */
    /* after prepare */
    struct hl_list parcels;
    struct hl_batch *batch; /* new entries in position order */
    /* after write */
    bool marks_written;
    uint64_t n_stored, n_duplicates, n_refused;
    int64_t commit_ns;
    int error; /* why all was rolled back: -errno, or 0 */
};

void hl_sqlite_group_init(struct hl_sqlite_group *group);

/* Takes all the memory there is to take: once a group is committed nothing may fail.
 * 0, -ENOMEM (parcels and batch may be there in part). */
int hl_sqlite_group_prepare(struct hl_sqlite_group *group, uint64_t epoch);

/* Stores what can be stored and sets every submit's result. `full`: nothing new may be stored.
 * 0; when all was rolled back: HL_LOG_FULL, HL_LOG_BUSY, -ENOMEM, or -EIO: the outcome is
 * unknown and the log must not go on. */
int hl_sqlite_group_write(struct hl_sqlite_group *group, struct hl_sqlite_appender *appender,
                          struct hl_mark_table *marks, int64_t wall_ms, bool full);

#endif
