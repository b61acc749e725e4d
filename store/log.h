/* The log: the one place where what is said becomes durable and ordered.
 *
 * Requests are the caller's memory from the call until done(); the engine fills their out
 * fields and runs done() on the given loop's thread, once, after the call returned. Submits of
 * one thread are ordered among themselves in the order they were made; a read sees all that was
 * answered before it was made, and reads may be answered in any order.
 *
 * An engine completes submits in groups. For each group and each loop, in this order: done()
 * of that loop's submits, then on_commit() of that loop's subscription with the group's new
 * entries in position order (n_entries may be 0: it also marks the end of a group).
 *
 * Thread: any thread may call, unless said otherwise. Engines: log_memory.h (reference, for
 * tests and simulation), log_sqlite.h. */
#ifndef HL_STORE_LOG_H
#define HL_STORE_LOG_H

#include "base/loop.h"
#include "store/conversation.h"
#include "store/entry.h"

/* Outcomes. */
enum {
    HL_LOG_BUSY = 1,        /* queue full: nothing was taken; retry later */
    HL_LOG_MID_CONFLICT,    /* this mid was used with another kind, subject or body */
    HL_LOG_STALE,           /* if_seen: somebody else wrote after it; see conversation.head */
    HL_LOG_ASSIGNED,        /* if_unassigned: see out.conversation.assignee */
    HL_LOG_REVISION,        /* if_revision: see out.conversation.revision */
    HL_LOG_UNKNOWN,         /* no such conversation (and no opening given) */
    HL_LOG_FULL,            /* no space: nothing was stored; retry later */
    HL_LOG_CLOSED,          /* the log is closing: nothing was taken */
    HL_LOG_REFERENCE_TAKEN, /* opening.reference is another conversation's: make a new one */
    HL_LOG_ERASED,          /* the conversation was erased: it takes nothing any more */
};

struct hl_log;
struct hl_log_marks;

struct hl_log_conditions {
    bool if_unassigned;
    bool has_if_revision;
    bool has_if_seen;
    uint64_t if_revision;
    uint64_t if_seen; /* refuse if an entry with a higher offset has another author */
};

/* For the first entry of a conversation that may not exist yet. Lent until done(). */
struct hl_log_opening {
    struct hl_bytes site;
    struct hl_bytes reference;
    struct hl_id inbox;       /* zero: none */
    struct hl_bytes identity; /* verified by the site, at most HL_IDENTITY_SIZE_MAX; empty: none */
};

struct hl_log_submit {
    struct hl_task task; /* the engine's while under way */
    struct hl_loop *loop;
    void (*done)(struct hl_log_submit *submit, int r);
    struct hl_log *log; /* the engine's while under way, like the next two */
    uint64_t since_ms;
    int result;
    /* in */
    struct hl_entry *entry; /* one reference handed over; the engine sets offset, position,
                             * wall_ms. In done(): still valid, owned by the submit, to be
                             * unreferenced by the caller. */
    struct hl_log_conditions when;
    const struct hl_log_opening *opening; /* NULL: the conversation must exist */
    /* out, when r is 0 */
    uint64_t offset;
    uint64_t position;
    int64_t wall_ms;
    bool duplicate; /* same mid, same content as before: the first one's figures */
    /* out, when r is 0 or one of STALE, ASSIGNED, REVISION, ERASED */
    struct hl_conversation conversation; /* as of this submit */
};

/* Never blocks. r of done(): 0 once the entry is durable to hl_log_info.durability; an
 * outcome above; negative: unknown outcome, may or may not be stored, answer "unavailable".
 * Returns 0 if done() will run; HL_LOG_BUSY or HL_LOG_CLOSED if it will not (the entry
 * reference stays with the caller). Dedupe by (conversation, author, mid) comes before
 * conditions: a repeat of a stored submit succeeds whatever happened since; once the
 * conversation is erased its body cannot be compared any more.
 *
 * An entry of kind erased destroys, in its own transaction, all bodies of its conversation
 * before it: from then on they read as entries with is_erased and the body {}. Its own body
 * stays. Whoever submits later gets HL_LOG_ERASED. */
int hl_log_submit(struct hl_log *log, struct hl_log_submit *submit);

/* Entries of a conversation after an offset, ascending. Never more than limit entries or
 * about bytes_max body bytes (but at least one entry if there is one). */
struct hl_log_read {
    struct hl_task task;
    struct hl_loop *loop;
    void (*done)(struct hl_log_read *read, int r);
    struct hl_log *log;
    struct hl_id conversation;
    uint64_t after;
    bool backward; /* entries before `after` (0: from the end), still given ascending */
    uint32_t limit;
    uint32_t bytes_max;
    struct hl_log_marks *marks; /* NULL: not wanted; else its items are filled as well */
    /* out, when r is 0 */
    struct hl_batch *batch;       /* one reference is the caller's; may be empty */
    struct hl_conversation found; /* as of the same snapshot */
};
/* done(): 0, HL_LOG_UNKNOWN, -errno. Returns 0, HL_LOG_BUSY, HL_LOG_CLOSED. */
int hl_log_read(struct hl_log *log, struct hl_log_read *read);

/* Entries of the region after a position, ascending: feeds, connectors, replication. */
struct hl_log_scan {
    struct hl_task task;
    struct hl_loop *loop;
    void (*done)(struct hl_log_scan *scan, int r);
    struct hl_log *log;
    uint64_t after;
    uint32_t limit;
    uint32_t bytes_max;
    /* out */
    struct hl_batch *batch;
    uint64_t head; /* last position of the snapshot */
};
int hl_log_scan(struct hl_log *log, struct hl_log_scan *scan); /* as hl_log_read */

/* One conversation by id, or by reference if that is given. */
struct hl_log_find {
    struct hl_task task;
    struct hl_loop *loop;
    void (*done)(struct hl_log_find *find, int r);
    struct hl_log *log;
    struct hl_id conversation;
    char reference[HL_REFERENCE_SIZE_MAX + 1]; /* empty: by id */
    /* out */
    struct hl_conversation found;
};
int hl_log_find(struct hl_log *log, struct hl_log_find *find); /* as hl_log_read */

/* Delivered and read positions of a participant: cumulative, monotone (a lower value changes
 * nothing), made durable lazily with a later group. Copied at once; never blocks; dropped if
 * the queue is full, since the next one repeats it. One that raises something is told to all
 * subscriptions with on_mark. */
struct hl_log_mark {
    struct hl_id conversation;
    struct hl_author participant;
    uint64_t delivered;
    uint64_t read;
};
void hl_log_mark(struct hl_log *log, const struct hl_log_mark *mark);

enum { HL_MARKS_MAX = 16 };
struct hl_log_marks { /* who has read how far */
    struct hl_task task;
    struct hl_loop *loop;
    void (*done)(struct hl_log_marks *marks, int r);
    struct hl_log *log;
    struct hl_id conversation;
    /* out */
    struct hl_log_mark items[HL_MARKS_MAX];
    size_t n_items;
};
int hl_log_marks(struct hl_log *log, struct hl_log_marks *marks); /* as hl_log_read */

/* Committed groups, on the subscriber's loop. The batch is lent for the call; reference it to
 * keep it. on_commit may unsubscribe its own subscription, but no other. Subscribe and unsubscribe
 * on the loop's own thread; after unsubscribe returned, neither is called again.
 *
 * on_mark tells of delivered and read positions that were raised, by whoever, on every
 * subscribed loop, but never from within hl_log_mark. Several raises may come as one. Figures
 * may be lower than some told before, which then still hold: who tells them on takes the
 * higher ones. A crowd of marks may lose some: hl_log_marks has them all. */
struct hl_log_subscription {
    struct hl_loop *loop;
    void (*on_commit)(struct hl_log_subscription *subscription, struct hl_batch *batch);
    /* NULL: not wanted. The mark is lent for the call. */
    void (*on_mark)(struct hl_log_subscription *subscription, const struct hl_log_mark *mark);
    struct hl_list link; /* the engine's */
    void *engine;        /* the engine's */
};
void hl_log_subscribe(struct hl_log *log, struct hl_log_subscription *subscription);
void hl_log_unsubscribe(struct hl_log *log, struct hl_log_subscription *subscription);

enum hl_durability {
    HL_DURABILITY_MEMORY = 1,
    HL_DURABILITY_LOCAL,
    HL_DURABILITY_ZONE,
    HL_DURABILITY_QUORUM
};
const char *hl_durability_name(enum hl_durability durability); /* "memory", "local", … */

struct hl_log_info { /* a consistent copy, cheap: for health, metrics, welcome */
    const char *engine;
    enum hl_durability durability;
    uint64_t epoch;       /* 1 … 2^53 - 1; differs after every restore */
    uint64_t boots;       /* times this log was opened: never goes back */
    uint64_t position;    /* of the last committed entry */
    uint64_t queue_depth; /* submits waiting or under way */
    uint64_t queue_max;
    uint64_t oldest_wait_ms;                              /* age of the oldest of these */
    uint64_t submits, duplicates, refused, groups, reads; /* since open */
    uint64_t commit_ms_total;                             /* time spent in commits since open */
    uint64_t wal_bytes;
    bool writable;    /* false after a failed commit or a full disk */
    bool failed;      /* a commit's outcome is unknown: leave service and exit */
    bool is_sweeping; /* bytes of a destroyed key may still be in the files */
};
void hl_log_info(struct hl_log *log, struct hl_log_info *out_info);

/* Copies a consistent snapshot of the running log to a new file. Blocks: not on a loop.
 * 0, -EEXIST, -errno. */
int hl_log_backup(struct hl_log *log, const char *path);

/* Subscribers leave first. Takes nothing more, completes what was taken (their done() are posted),
 * stops its threads, frees. Blocks: call after the loops stopped submitting; posted tasks still
 * must be run. */
void hl_log_close(struct hl_log *log);

/* For engines: the first member of their struct. */
struct hl_log_ops {
    const char *name;
    int (*submit)(struct hl_log *log, struct hl_log_submit *submit);
    int (*read)(struct hl_log *log, struct hl_log_read *read);
    int (*scan)(struct hl_log *log, struct hl_log_scan *scan);
    int (*find)(struct hl_log *log, struct hl_log_find *find);
    void (*mark)(struct hl_log *log, const struct hl_log_mark *mark);
    int (*marks)(struct hl_log *log, struct hl_log_marks *marks);
    void (*subscribe)(struct hl_log *log, struct hl_log_subscription *subscription);
    void (*unsubscribe)(struct hl_log *log, struct hl_log_subscription *subscription);
    void (*info)(struct hl_log *log, struct hl_log_info *out_info);
    int (*backup)(struct hl_log *log, const char *path);
    void (*close)(struct hl_log *log);
};
struct hl_log {
    const struct hl_log_ops *ops;
};

#endif
