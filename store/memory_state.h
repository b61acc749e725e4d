/* What the memory engine remembers: entries in order, conversations, used mids, marks.
 * Thread: none of its own. Owner: log_memory.c. Running out of memory is a failed check: this
 * is the reference for tests, not a place to keep anything. */
#ifndef HL_STORE_MEMORY_STATE_H
#define HL_STORE_MEMORY_STATE_H

#include "base/table.h"
#include "store/log.h"

struct hl_memory_conversation {
    struct hl_conversation state;
    struct hl_conversation opened; /* before its first entry */
    uint64_t number;               /* order of creation */
    struct hl_entry **entries;     /* state.head of them; one reference each */
    size_t capacity;
    struct hl_log_mark marks[HL_MARKS_MAX]; /* raised last comes last */
    size_t n_marks;
    UT_hash_handle by_id;
    UT_hash_handle by_reference;
};

struct hl_memory_mid;

struct hl_memory_state {
    uint64_t epoch;
    uint64_t position;
    uint64_t n_numbers;
    struct hl_entry **entries; /* `position` of them, lent by their conversations */
    size_t capacity;
    struct hl_memory_conversation *by_id;
    struct hl_memory_conversation *by_reference;
    struct hl_memory_mid *mids;
};

void hl_memory_state_init(struct hl_memory_state *state, uint64_t epoch);
void hl_memory_state_fini(struct hl_memory_state *state);

/* Decides a submit and stores its entry at wall_ms. Fills the submit's out fields; its result
 * as in log.h. */
int hl_memory_state_submit(struct hl_memory_state *state, struct hl_log_submit *submit,
                           int64_t wall_ms);

/* NULL if there is none. */
struct hl_memory_conversation *hl_memory_state_find(struct hl_memory_state *state,
                                                    const struct hl_id *id);
struct hl_memory_conversation *hl_memory_state_find_reference(struct hl_memory_state *state,
                                                              const char *reference);

void hl_memory_state_read(struct hl_memory_state *state,
                          struct hl_memory_conversation *conversation, struct hl_log_read *read);
void hl_memory_state_scan(struct hl_memory_state *state, struct hl_log_scan *scan);
void hl_memory_state_marks(const struct hl_memory_conversation *conversation,
                           struct hl_log_marks *marks);
/* Whether it raised anything; *io_mark becomes what the participant stands at. */
bool hl_memory_state_mark(struct hl_memory_state *state, struct hl_log_mark *io_mark);
void hl_memory_state_roll_back(struct hl_memory_state *state, uint64_t position,
                               uint64_t new_epoch);

#endif
