/* Sorted views over a history, and the look-ups the rules need. Lent pointers live as long as
 * the history; building it sorts the transcript by (conversation, offset) in place. */
#ifndef HL_TESTS_HISTORY_INDEX_H
#define HL_TESTS_HISTORY_INDEX_H

#include "tests/history/history.h"

typedef int index_order(const void *a, const void *b);

struct index {
    struct history *history;
    size_t n_entries, n_events, n_sends, n_acks, n_delivers;
    struct entry **by_mid;             /* transcript by (conversation, mid, author) */
    int64_t *visible;                  /* entries before index i that visitors may see */
    struct event **by_client;          /* (client, conversation, as read) */
    struct event **sends;              /* (conversation, mid, as read) */
    struct event **acks;               /* (conversation, mid, as read) */
    struct event **told;               /* delivers by (conversation, epoch, offset, as read) */
    struct event **by_callback_offset; /* delivers by (client, conversation, incarnation, offset) */
    struct event **by_callback_mid;    /* … author and mid in place of the offset */
};

void index_init(struct index *index, struct history *history);
void index_fini(struct index *index);
/* After incarnations were numbered. */
void index_sort_delivers(struct index *index);

index_order index_order_callback_offset, index_order_callback_mid;

/* NULL if there is none; the first one read if there are several. */
const struct event *index_find_send(const struct index *index, uint32_t conversation, uint32_t mid);
const struct event *index_find_ack(const struct index *index, uint32_t conversation, uint32_t mid);
/* The first client that was told what stands at this event's offset; the event itself counts. */
const struct event *index_find_told(const struct index *index, const struct event *event);
const struct entry *index_find_mid(const struct index *index, uint32_t conversation, uint32_t mid);
const struct entry *index_find_offset(const struct index *index, uint32_t conversation,
                                      int64_t offset);
/* Highest offset of the transcript, 0 if there is none. */
int64_t index_head(const struct index *index, uint32_t conversation);
/* Entries with after < offset <= to that a visitor (an agent) may see. */
int64_t index_count_visible(const struct index *index, uint32_t conversation, int64_t after,
                            int64_t to, bool is_agent);
/* Did any client send to it? */
bool index_has_conversation(const struct index *index, uint32_t conversation);

#endif
