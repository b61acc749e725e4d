/* One long-poll request that waits for its answer, and POST /v1/poll itself: who asks, what
 * it brings, when it is answered. Between polls a session has no such struct.
 * Thread: the loop's. Owner: the session. */
#ifndef HL_SESSION_POLL_H
#define HL_SESSION_POLL_H

#include "base/bytes.h"

struct hl_hub;
struct hl_link;
struct hl_session;

struct hl_poll {
    struct hl_link *link;
    uint64_t rid;
    uint64_t deadline_ms;
    size_t n_frames;
    struct hl_buffer answer; /* begun with the first frame */
};

int hl_poll_create(struct hl_link *link, uint64_t rid, uint64_t deadline_ms,
                   struct hl_poll **out_poll); /* 0, -ENOMEM */
void hl_poll_destroy(struct hl_poll *poll);    /* accepts NULL; the link is not touched */
/* Answers that a newer request took over; frees. */
void hl_poll_supersede(struct hl_poll *poll, uint64_t generation);

/* Answers a request that came too late in the same way. */
void hl_poll_answer_late(struct hl_link *link, uint64_t rid, uint64_t generation);

/* The session's: where to write its next frame; whether it may take entries still. */
struct hl_buffer *hl_poll_frame(struct hl_session *session);
bool hl_poll_has_room(const struct hl_session *session);
/* Answers if there is something to tell and nothing to wait for, or if it is time. May end
 * the session if there is no memory. */
void hl_poll_consider(struct hl_session *session);

/* What was written is answered within so long. */
void hl_poll_hasten(struct hl_session *session, uint64_t wait_ms);

/* A request; see hl_hub_poll. */
void hl_poll_receive(struct hl_hub *hub, struct hl_link *link, struct hl_bytes body);

#endif
