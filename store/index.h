/* The index: what the log says, laid out for lists, search and counts. A projection, never
 * the truth: a thread of its own reads the log by position and writes DATA/index.db; the file
 * may be deleted at any time while the process is down and is then built again from the log. It
 * is built again, too, when it is damaged, of another schema, or of another epoch of the log.
 * Nothing of it is on the path of an accept. docs/internals/index.md explains it.
 *
 * A read names the position that must have been applied before it is answered; it waits for
 * that up to HL_INDEX_WAIT_MS. Requests are the caller's memory from the call until done(),
 * which runs on the given loop's thread, once, after the call returned.
 *
 * Thread: any thread may call, unless said otherwise. */
#ifndef HL_STORE_INDEX_H
#define HL_STORE_INDEX_H

#include "base/clock.h"
#include "base/hash.h"
#include "store/log.h"

#define HL_ID_CONTACT "con_"

enum {
    HL_INDEX_WAIT_MS = 2000,
    HL_INDEX_LIMIT_MAX = 200,
    HL_INDEX_QUERY_SIZE_MAX = 256,
    HL_INDEX_TAG_SIZE_MAX = 64,
    HL_INDEX_TAGS_MAX = 8,       /* of a filter */
    HL_INDEX_TAG_LIST_MAX = 500, /* of hl_index_tags */
    HL_INDEX_UNREAD_MAX = 999,
};

/* Outcomes. */
enum {
    HL_INDEX_BUSY = 1, /* queue full: nothing was taken; retry later */
    HL_INDEX_BEHIND,   /* the position was not applied in time */
    HL_INDEX_UNKNOWN,  /* no such conversation or contact within the scope */
    HL_INDEX_CLOSED,   /* the index is closing: nothing was taken */
};

/* A position to wait for. */
#define HL_INDEX_AS_IS 0           /* none: whatever is applied now */
#define HL_INDEX_LATEST UINT64_MAX /* the log's position when the request is made */

/* When an answer is owed to a waiting conversation, by the settings of its inbox. */
struct hl_index_wait {
    const char *site;
    struct hl_id inbox;
    int64_t opened_ms;
    int64_t waiting_since_ms;
    int64_t first_response_ms; /* 0: nobody answered yet */
};

/* What the settings say; all callbacks run on the index's own thread. NULL members: see each. */
struct hl_index_policy {
    void *arg;
    bool (*search_text)(void *arg, const char *site);            /* NULL: true everywhere */
    int64_t (*due)(void *arg, const struct hl_index_wait *wait); /* 0: none; NULL: none */
    uint64_t (*version)(void *arg); /* due times are made anew when it changes; NULL: never */
};

struct hl_index_config {
    const char *path;   /* DATA/index.db; made if missing */
    struct hl_log *log; /* outlives the index */
    const struct hl_clock *clock;
    const uint8_t *contact_key; /* HL_HASH_KEY_SIZE bytes, copied: ids of contacts hang on it */
    struct hl_index_policy policy;
    uint32_t n_readers; /* 0: 1 */
    uint32_t queue_max; /* reads waiting or under way; 0: 1024 */
    uint32_t delay_ms;  /* of what nobody waits for; 0: 200 */
};

struct hl_index;

/* Opens or makes the file, starts the threads. 0, -errno. `why` (may be NULL) gets one line of
 * English for the operator. */
int hl_index_open(const struct hl_index_config *config, char *why, size_t why_size,
                  struct hl_index **out_index);
/* Answers what waits (HL_INDEX_CLOSED), stops the threads, frees. Blocks: call after the loops
 * stopped asking and before the log closes; posted tasks still must be run. Accepts NULL. */
void hl_index_close(struct hl_index *index);

/* What the asker may see. */
struct hl_index_scope {
    char site[HL_SITE_SIZE_MAX + 1]; /* empty: all */
    const struct hl_id *inboxes;     /* lent until done(); conversations without an inbox are */
    size_t n_inboxes;                /* in every scope of their site; 0: all */
};

/* The first member of every read. */
struct hl_index_read {
    struct hl_task task; /* the index's while under way, like all below but in and out */
    struct hl_list link;
    struct hl_index *index;
    int kind;
    int result;
    uint64_t due_ms;
    /* in */
    struct hl_loop *loop;
    uint64_t at_least; /* HL_INDEX_AS_IS, HL_INDEX_LATEST, or a position */
    struct hl_index_scope scope;
    struct hl_id asker; /* an agent, for `unread`; zero: none */
    /* out, when r is 0 */
    uint64_t applied;               /* what is told is at least as new as this position */
    struct hl_index_memory *memory; /* of all that the answer points to; hl_index_read_free */
};

/* Frees what the answer points to. In done() or later; accepts an answer without any. */
void hl_index_read_free(struct hl_index_read *read);

/* One conversation as the index has it. Text is UTF-8 and lives in read.memory. */
struct hl_index_conversation {
    struct hl_conversation state;
    struct hl_id contact;
    struct hl_bytes name, email, phone; /* of the person, as last told; empty: not known */
    bool is_verified;                   /* identity was proved by the site's server */
    struct hl_bytes tags;               /* JSON array of strings */
    struct hl_bytes custom_fields;      /* JSON object */
    struct hl_bytes context;            /* JSON object */
    int64_t first_response_ms;          /* first message of an agent; 0: none */
    int64_t closed_ms;                  /* 0: is open */
    int64_t erased_ms;                  /* 0: not erased */
    int64_t due_ms;                     /* by policy.due; 0: nothing is owed */
    uint64_t last_offset;               /* of the last message or form; 0: none */
    uint8_t last_role;
    int64_t last_ms;
    struct hl_bytes excerpt; /* its first characters, at most 280 bytes */
    uint32_t unread;         /* for the asker, at most HL_INDEX_UNREAD_MAX */
};

enum hl_index_sort {
    HL_INDEX_NEWEST = 1,
    HL_INDEX_OLDEST,
    HL_INDEX_UPDATED,           /* changed last first */
    HL_INDEX_OLDEST_UNANSWERED, /* waiting longest first; only those that wait */
    HL_INDEX_DUE,               /* owed soonest first; only those that wait and have a due time */
    HL_INDEX_SORT_END
};

/* A page of conversations: those that pass every filter. Erased ones are not listed. */
struct hl_index_list {
    struct hl_index_read read;
    void (*done)(struct hl_index_list *list, int r);
    /* in */
    enum hl_index_sort sort;
    uint8_t status; /* 0: any */
    bool unassigned_only;
    struct hl_id assignee; /* zero: any */
    struct hl_id inbox;    /* zero: any */
    struct hl_id contact;  /* zero: any */
    char site[HL_SITE_SIZE_MAX + 1];
    char tags[HL_INDEX_TAGS_MAX][HL_INDEX_TAG_SIZE_MAX + 1]; /* all of them */
    size_t n_tags;
    int64_t opened_after_ms;                 /* 0: any; inclusive */
    int64_t opened_before_ms;                /* 0: any; exclusive */
    char query[HL_INDEX_QUERY_SIZE_MAX + 1]; /* words, all in one entry; the last may be begun */
    uint32_t limit;                          /* 1 … HL_INDEX_LIMIT_MAX */
    bool has_cursor;                         /* continue after (cursor_key, cursor_number) */
    int64_t cursor_key;
    uint64_t cursor_number;
    /* out */
    struct hl_index_conversation *items; /* in read.memory */
    size_t n_items;
    bool has_more;
    int64_t next_key;
    uint64_t next_number;
};
/* done(): 0, HL_INDEX_BEHIND, HL_INDEX_CLOSED, -errno. Returns 0 if done() will run, else
 * HL_INDEX_BUSY or HL_INDEX_CLOSED. The same holds for the reads below. */
int hl_index_list(struct hl_index *index, struct hl_index_list *list);

struct hl_index_get {
    struct hl_index_read read;
    void (*done)(struct hl_index_get *get, int r); /* also HL_INDEX_UNKNOWN */
    struct hl_id conversation;
    /* out */
    struct hl_index_conversation found;
};
int hl_index_get(struct hl_index *index, struct hl_index_get *get);

/* A person, put together from the conversations that belong to the same one: by verified
 * identity, else e-mail, else phone number, else the visitor's own id. */
struct hl_index_contact {
    struct hl_id id;
    char site[HL_SITE_SIZE_MAX + 1];
    struct hl_bytes name, email, phone, identity;
    bool is_verified;
    int64_t first_seen_ms;
    int64_t last_seen_ms;
    uint64_t n_conversations;
};

/* A page of contacts, seen last first. With `contact` that one alone, or HL_INDEX_UNKNOWN. */
struct hl_index_contacts {
    struct hl_index_read read;
    void (*done)(struct hl_index_contacts *contacts, int r);
    /* in */
    struct hl_id contact; /* zero: a page */
    char site[HL_SITE_SIZE_MAX + 1];
    char query[HL_INDEX_QUERY_SIZE_MAX + 1];
    uint32_t limit;
    bool has_cursor;
    int64_t cursor_key;
    uint64_t cursor_number;
    /* out */
    struct hl_index_contact *items;
    size_t n_items;
    bool has_more;
    int64_t next_key;
    uint64_t next_number;
};
int hl_index_contacts(struct hl_index *index, struct hl_index_contacts *contacts);

/* The conversations of a person, for export and erasure: ids only, oldest first, erased ones
 * too. By contact, or by e-mail (any case) in all forms of the scope. */
struct hl_index_person {
    struct hl_index_read read;
    void (*done)(struct hl_index_person *person, int r);
    /* in */
    struct hl_id contact; /* zero: by email */
    char email[HL_INDEX_QUERY_SIZE_MAX + 1];
    /* out */
    struct hl_id *conversations; /* in read.memory */
    size_t n_conversations;
};
int hl_index_person(struct hl_index *index, struct hl_index_person *person);

struct hl_index_tag {
    struct hl_bytes tag;
    uint64_t count;
};
struct hl_index_tags { /* most used first */
    struct hl_index_read read;
    void (*done)(struct hl_index_tags *tags, int r);
    /* in */
    char site[HL_SITE_SIZE_MAX + 1]; /* empty: any */
    /* out */
    struct hl_index_tag *items; /* in read.memory */
    size_t n_items;
};
int hl_index_tags(struct hl_index *index, struct hl_index_tags *tags);

/* How busy an inbox is, for those who think of writing to it. */
struct hl_index_queue {
    struct hl_index_read read;
    void (*done)(struct hl_index_queue *queue, int r);
    /* in */
    char site[HL_SITE_SIZE_MAX + 1];
    struct hl_id inbox; /* zero: the whole site */
    /* out */
    uint64_t n_waiting;     /* open and waiting for an answer */
    int64_t median_wait_ms; /* to the first answer, lately; -1: not known */
};
int hl_index_queue(struct hl_index *index, struct hl_index_queue *queue);

struct hl_index_stats { /* cheap; for health and metrics */
    uint64_t applied;   /* position */
    uint64_t log;       /* the log's position now: the lag is the difference */
    uint64_t entries;   /* applied since open */
    uint64_t batches, rebuilds, reads, behind, refused; /* since open */
    uint64_t waiting;                                   /* reads that wait for a position */
    bool is_scrubbing; /* text of erased conversations is still being taken out of the file */
    int failure;       /* of the last try, 0 or -errno; it is repeated */
};
/* NULL, where there is no index: all zero. */
void hl_index_stats(struct hl_index *index, struct hl_index_stats *out_stats);

#endif
