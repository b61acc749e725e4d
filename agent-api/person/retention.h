/* Retention: closed conversations of a site that are older than it keeps them are erased, the
 * same way as by request. One step at a time: a page of the index, then an erasure each.
 * Thread: the loop's. Owner: jobs.c. */
#ifndef HL_AGENT_API_PERSON_RETENTION_H
#define HL_AGENT_API_PERSON_RETENTION_H

#include "base/clock.h"
#include "store/directory.h"
#include "store/index.h"
#include "store/log.h"

enum { HL_RETENTION_PAGE = 50 };

/* What a step came to. */
enum {
    HL_RETENTION_ERASED = 1, /* one more conversation */
    HL_RETENTION_OVER,       /* all sites were looked at; the next step begins anew */
};

struct hl_retention { /* zeroed but for what comes in */
    /* in */
    struct hl_log *log;
    struct hl_loop *loop;
    const struct hl_clock *clock;
    struct hl_directory *directory;
    struct hl_index *index;
    void (*done)(struct hl_retention *retention, int r); /* 0, HL_RETENTION_…, -errno */
    /* its own */
    struct hl_task task;
    char site[HL_SITE_SIZE_MAX + 1]; /* looked at; empty: begin with the first */
    uint32_t days;
    int64_t before_ms;
    struct hl_index_list list;
    bool is_listed, has_more;
    int64_t key;
    uint64_t number;
    struct {
        struct hl_id id;
        uint64_t revision;
    } items[HL_RETENTION_PAGE];
    size_t n_items, at;
    struct hl_log_submit submit;
};

/* 0: done() will run, in a later turn; -errno. */
int hl_retention_step(struct hl_retention *retention);

#endif
