/* One immutable item of a transcript, shared between threads by counted references.
 * The creator fills it, the log sets offset, position and time when it orders it; after that
 * nobody writes to it. */
#ifndef HL_STORE_ENTRY_H
#define HL_STORE_ENTRY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/id.h"

/* Stored as numbers: never renumber, only add. Names are the wire's "kind". */
enum hl_entry_kind {
    HL_ENTRY_MESSAGE = 1, /* "message" */
    HL_ENTRY_NOTE,        /* "note": internal, never shown to a visitor */
    HL_ENTRY_FORM,        /* "form": an enquiry or pre-chat form */
    HL_ENTRY_CLAIMED,     /* "claimed": subject is the agent who has it now */
    HL_ENTRY_RELEASED,    /* "released" */
    HL_ENTRY_TRANSFERRED, /* "transferred": subject is the new assignee */
    HL_ENTRY_CLOSED,      /* "closed" */
    HL_ENTRY_REOPENED,    /* "reopened" */
    HL_ENTRY_UPDATED,     /* "updated": internal; tags and custom fields, see body */
    HL_ENTRY_RATED,       /* "rated" */
    HL_ENTRY_ERASED,      /* "erased": the last one; the key of all bodies before is destroyed */
    HL_ENTRY_MOVED,       /* "moved": internal; subject is the inbox it is in now */
    HL_ENTRY_AUDIT,       /* "audit": only in the audit log */
    HL_ENTRY_KIND_END
};

enum hl_role { HL_ROLE_VISITOR = 1, HL_ROLE_AGENT, HL_ROLE_INTEGRATION, HL_ROLE_SYSTEM };

struct hl_author {
    uint8_t role; /* enum hl_role */
    struct hl_id id;
};

/* The sender's own id of an entry: 1 to 64 bytes of printable ASCII without space, normally a
 * UUID. Idempotency key within (conversation, author), for ever. */
enum { HL_MID_SIZE_MAX = 64, HL_ENTRY_BODY_SIZE_MAX = 65536, HL_SITE_SIZE_MAX = 64 };

/* Where a conversation belongs. */
struct hl_place {
    char site[HL_SITE_SIZE_MAX + 1];
    struct hl_id inbox; /* zero: none */
};

struct hl_entry {
    atomic_uint refs;
    uint8_t kind;   /* enum hl_entry_kind */
    bool is_erased; /* its body was destroyed: it reads {} */
    struct hl_author author;
    struct hl_id conversation;
    struct hl_id subject;  /* zero unless the kind names one */
    uint64_t offset;       /* set by the log; 1, 2, 3 … in the conversation, below 2^53 */
    uint64_t position;     /* set by the log; dense in the region */
    int64_t wall_ms;       /* set by the log */
    struct hl_place place; /* in batches of commits and scans: its conversation's when the entry
                            * was stored, or by now */
    uint8_t mid_size;
    char mid[HL_MID_SIZE_MAX];
    uint32_t body_size;
    char body[]; /* canonical JSON object, not NUL-terminated */
};

struct hl_entry_fields {
    struct hl_id conversation;
    struct hl_author author;
    enum hl_entry_kind kind;
    struct hl_id subject;
    struct hl_bytes mid;
    struct hl_bytes body;
};

/* One reference is the caller's. NULL when out of memory. A body without data but with a size
 * is the creator's to fill. Sizes are checked, not asserted by
 * callers: HL_CHECK fails if mid or body exceed their limits. */
struct hl_entry *hl_entry_create(const struct hl_entry_fields *fields);
struct hl_entry *hl_entry_ref(struct hl_entry *entry);
void hl_entry_unref(struct hl_entry *entry); /* accepts NULL */

struct hl_bytes hl_entry_body(const struct hl_entry *entry);
struct hl_bytes hl_entry_mid(const struct hl_entry *entry);
bool hl_entry_is_internal(const struct hl_entry *entry); /* hidden from visitors */
/* What visitors may read: their own forms, messages, ratings. Of anything else that is not
 * internal they learn that it happened. */
bool hl_entry_is_open_to_visitors(const struct hl_entry *entry);
bool hl_author_equal(const struct hl_author *a, const struct hl_author *b);
bool hl_mid_is_valid(struct hl_bytes mid);

const char *hl_entry_kind_name(enum hl_entry_kind kind);
/* HL_ENTRY_KIND_END if there is none of that name. */
enum hl_entry_kind hl_entry_kind_find(struct hl_bytes name);
const char *hl_role_name(enum hl_role role);

/* A counted array of entries; each slot holds one reference. */
struct hl_batch {
    atomic_uint refs;
    uint64_t epoch;
    size_t n_entries;
    struct hl_entry *entries[];
};

struct hl_batch *hl_batch_create(uint64_t epoch,
                                 size_t n_entries); /* slots NULL; NULL: no memory */
struct hl_batch *hl_batch_ref(struct hl_batch *batch);
void hl_batch_unref(struct hl_batch *batch); /* accepts NULL; drops its entries with the last */

#endif
