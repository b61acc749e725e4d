/* One conversation of the index while the projector changes it.
 * Thread: the projector's. */
#ifndef HL_STORE_INDEX_ROW_H
#define HL_STORE_INDEX_ROW_H

#include "base/table.h"
#include "store/index.h"
#include "store/index/body.h"

struct hl_index_row {
    struct hl_conversation state;
    uint64_t number;
    struct hl_id contact;     /* as it is now */
    struct hl_id old_contact; /* as it was when the row was read; zero: none */
    struct hl_id visitor;     /* who spoke first; zero: nobody yet */
    char name[HL_INDEX_PERSON_SIZE_MAX + 1];
    char email[HL_INDEX_PERSON_SIZE_MAX + 1];
    char phone[HL_INDEX_PERSON_SIZE_MAX + 1];
    char *tags; /* JSON text, like the next two; never NULL */
    char *custom_fields;
    char *context; /* empty: none */
    char excerpt[HL_INDEX_EXCERPT_SIZE_MAX + 1];
    int64_t seen_ms; /* last entry of the visitor's */
    int64_t first_response_ms, closed_ms, erased_ms, due_ms;
    uint64_t last_offset;
    uint8_t last_role;
    int64_t last_ms;
    bool is_new;         /* not in the file yet */
    bool asks_opening;   /* the log is to be asked: for what the first entry does not tell */
    bool asks_state;     /* the same: for all, since entries before were trimmed */
    bool is_changed;     /* more than its end */
    bool person_changed; /* name, address or number */
    bool tags_changed;
    bool erased_now;
    UT_hash_handle hh; /* by state.id */
};

/* NULL: no memory. */
struct hl_index_row *hl_index_row_create(const struct hl_id *id);
void hl_index_row_free(struct hl_index_row *row); /* accepts NULL */

/* Folds an entry in: offset state.head + 1, or one that the state has already. `body` is the
 * entry's. 0, -ENOMEM. */
int hl_index_row_apply(struct hl_index_row *row, const struct hl_entry *entry,
                       const struct hl_index_body *body);
/* Who it belongs to: contact, by identity, e-mail, phone number or visitor. */
void hl_index_row_set_contact(struct hl_index_row *row, const uint8_t key[HL_HASH_KEY_SIZE]);

#endif
