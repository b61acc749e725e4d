/* What one session is owed of one conversation: a cursor. Entries reach it in two ways, from
 * a committed group if it is level, or by reading the log; both go through the one function
 * that moves the cursor, so that the hand-over can neither lose nor repeat. Nothing is
 * buffered here: a session that cannot take more has a cursor that stands still.
 * Thread: the loop's. Owner: the session.
 *
 *                   verdict            cursor reaches head
 *      OPENING ───────────────▶ BEHIND ◀──────────────────▶ LEVEL
 *                               │    ▲   more was committed
 *                 slot, credit, ▼    │ page passed, or could not be
 *                 link ready   READING
 */
#ifndef HL_SESSION_SUBSCRIPTION_H
#define HL_SESSION_SUBSCRIPTION_H

#include "base/idmap.h"
#include "session/frame.h"
#include "session/frame_text.h"
#include "store/log.h"

struct hl_hub;
struct hl_session;
struct hl_reading;

enum hl_subscription_state {
    HL_SUBSCRIPTION_OPENING, /* where it starts is being read */
    HL_SUBSCRIPTION_LEVEL,   /* cursor is head */
    HL_SUBSCRIPTION_BEHIND,  /* cursor below head; waits for link or credit */
    HL_SUBSCRIPTION_READING, /* a page is being read */
};

struct hl_subscription {
    struct hl_id_node by_conversation;
    struct hl_session *session;
    struct hl_list member; /* of the session */
    uint8_t state;         /* moved by subscription.c only, like the cursor */
    uint8_t verdict;       /* enum hl_verdict */
    bool is_asked;         /* made by a sub frame, not by the attachment */
    bool wants_synced;
    bool is_placed;  /* by the positions of the poll at hand */
    bool has_epoch;  /* OPENING: a position was given */
    uint64_t epoch;  /* OPENING: of that position */
    uint64_t start;  /* OPENING: that position */
    uint64_t cursor; /* everything up to here was passed */
    uint64_t head;   /* last offset known to be committed */
    uint64_t floor;
    char reference[HL_REFERENCE_SIZE_MAX + 1]; /* empty: not known to exist yet */
    uint64_t told;        /* the client's position if nothing was lost: last offset it was told */
    uint64_t acked;       /* cumulative */
    uint64_t read;        /* by a person; cumulative */
    uint64_t marked;      /* the part of acked that the log knows */
    uint64_t read_before; /* what the log knew of read when it began */
    struct hl_log_marks *marks; /* of all in it, not yet told; or NULL */
    bool has_missed_marks;      /* some could not be told: to be read again */
    struct hl_reading *reading;
    struct hl_list waiting; /* for a reading */
};

struct hl_start {
    struct hl_id conversation;
    const struct hl_position *position; /* NULL: from the beginning */
    bool is_new;                        /* the conversation does not exist yet: nothing to read */
    bool is_asked;
};
/* 0, -ENOMEM. */
int hl_subscription_create(struct hl_session *session, const struct hl_start *start,
                           struct hl_subscription **out_subscription);
void hl_subscription_destroy(struct hl_subscription *subscription);
struct hl_subscription *hl_subscription_find(const struct hl_session *session,
                                             const struct hl_id *conversation);
/* The visitor's only one. */
struct hl_subscription *hl_subscription_first(const struct hl_session *session);

/* Does what can be done now: reads on, becomes level, tells synced. Writes frames; the caller
 * flushes the session. */
void hl_subscription_pump(struct hl_subscription *subscription);
void hl_subscription_pump_all(struct hl_session *session);

/* A committed entry, perhaps the session's own pub. True: the session is to be given it now
 * (the cursor has moved); out_after is the offset to tell, or HL_NO_AFTER. */
bool hl_subscription_offer(struct hl_subscription *subscription, const struct hl_entry *entry,
                           bool is_own, int64_t *out_after);

/* The client has everything up to here, says an ack. True if that is news. */
bool hl_subscription_ack(struct hl_subscription *subscription, uint64_t offset);
/* The client wants everything after this offset (again). */
void hl_subscription_rewind(struct hl_subscription *subscription, uint64_t after);
/* The client's positions at the start of a poll: what was lost on the way is sent again. A
 * conversation that is not among them counts as 0. */
void hl_subscription_place_all(struct hl_session *session, const json_t *positions);
/* Would a session with a link be sent more at once? */
bool hl_subscription_has_more(const struct hl_session *session);
bool hl_subscription_is_reading(const struct hl_session *session);

/* readers.c: a page that was asked for is here. */
void hl_subscription_finish_page(struct hl_subscription *subscription,
                                 const struct hl_log_read *read, bool is_unknown);

#endif
