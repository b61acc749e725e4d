/* What a conversation is now: a fold over its entries, the same in every engine. */
#ifndef HL_STORE_CONVERSATION_H
#define HL_STORE_CONVERSATION_H

#include "store/entry.h"

enum { HL_REFERENCE_SIZE_MAX = 24, HL_IDENTITY_SIZE_MAX = 64 };

enum hl_status { HL_STATUS_OPEN = 1, HL_STATUS_CLOSED };

struct hl_conversation {
    struct hl_id id;
    char site[HL_SITE_SIZE_MAX + 1];
    char reference[HL_REFERENCE_SIZE_MAX + 1]; /* human ticket reference, unique */
    char identity[HL_IDENTITY_SIZE_MAX + 1]; /* verified, of the visitor; empty: none, or erased */
    uint8_t status;                          /* enum hl_status */
    bool is_erased;                          /* bodies are destroyed, nothing more is taken */
    struct hl_id inbox;                      /* zero: none */
    struct hl_id assignee;                   /* zero: nobody */
    uint64_t revision; /* offset of the last entry that changed the state; ETag "r17" */
    uint64_t head;     /* offset of the last entry; 0 only before the first */
    uint64_t floor;    /* entries at or below were trimmed; 0: none */
    int64_t opened_ms;
    int64_t updated_ms;       /* of the last entry */
    int64_t claimed_ms;       /* 0: never */
    int64_t waiting_since_ms; /* oldest visitor entry no agent answered yet; 0: none waits */
};

/* Applies the next entry (offset head + 1). Rules: message or form of a visitor starts the
 * wait if none runs and reopens a closed conversation; message of an agent ends the wait;
 * claimed/transferred set the assignee to entry->subject, released clears it; moved sets
 * the inbox to entry->subject and clears the assignee; closed ends the wait and keeps the
 * assignee; erased closes and forgets the identity. Bodies decide nothing. A state change sets
 * revision to the entry's offset; the first entry, updated, moved and erased always do. Returns
 * whether anything but head and updated_ms changed. */
bool hl_conversation_apply(struct hl_conversation *conversation, const struct hl_entry *entry);

struct hl_place hl_conversation_place(const struct hl_conversation *conversation);

const char *hl_status_name(enum hl_status status); /* "open", "closed" */

#endif
