/* One participant's attachment: who it is, over which link, in which state. What it is owed
 * per conversation is its subscriptions' (subscription.h). A new attachment of the same
 * session id is a new struct; the old one ends. Thread: the loop's. Owner: the hub's map.
 *
 *                    all verdicts known            link gone (visitor)
 *   OPENING ──────────────┬────────────▶ LIVE ───────────────────────┐
 *      │                  │               │ a poll takes over        ▼
 *      │                  └──▶ POLLED ◀───┘                        AWAY
 *      │                         │ ▲ └── answered, link gone ───────▶│
 *      │                         │ └────────── next poll ────────────┤
 *      └── link gone ──▶ ENDED ◀─┴── bye, replaced, fault ── TTL ────┘
 */
#ifndef HL_SESSION_SESSION_H
#define HL_SESSION_SESSION_H

#include "base/idmap.h"
#include "base/json.h"
#include "base/wheel.h"
#include "session/hub.h"

enum hl_session_state {
    HL_SESSION_OPENING, /* a link is there; the verdicts are being read */
    HL_SESSION_LIVE,    /* welcomed, on a stream */
    HL_SESSION_POLLED,  /* welcomed, a poll waits for its answer */
    HL_SESSION_AWAY,    /* welcomed, no link */
    HL_SESSION_ENDED,   /* holds nothing any more; freed when the entry point returns */
};

struct hl_poll;

/* What a session is given of one group in one message; the rest it reads from the log. */
enum { HL_GATHERED_BYTES_MAX = 128 << 10 };

struct hl_session {
    struct hl_id_node by_id;
    struct hl_hub *hub;
    uint8_t state;     /* enum hl_session_state; moved by session.c only */
    bool is_confirmed; /* the client has shown that it has the welcome */
    bool is_pinged;    /* a ping waits for a sign of life */
    bool is_fenced;    /* a newer attachment has its place in the registry */
    bool is_erased;    /* its conversation was, and it has been told */
    struct hl_author participant;
    struct hl_link *link; /* STREAM, or NULL */
    struct hl_poll *poll; /* the one to answer, or NULL */
    char *site;           /* owned; NULL: the hub's default */
    char *identity;       /* owned; verified; NULL: none */
    struct hl_id inbox;   /* of the conversation it may open; zero: none */
    struct hl_id key;     /* an agent's, that it came with */
    uint64_t scope;       /* an agent's, as in hl_bearer */
    bool may_write;
    json_t *deferred; /* frames that came before the welcome; array or NULL */
    uint64_t generation;
    uint64_t expected_seq;
    uint64_t stored_seq; /* highest one known to be stored */
    struct hl_list subscriptions;
    struct hl_list publishes; /* under way or with a result not yet told */
    struct hl_list touched;   /* in the hub's group */
    uint32_t first_item, last_item;
    uint32_t n_subscriptions, n_opening, n_under_way;
    uint32_t n_deferred; /* messages */
    uint32_t credit;
    uint32_t gathered_bytes; /* in this group */
    uint64_t hist_ms;        /* when what its hists cost is paid */
    uint64_t pub_tokens;     /* thousandths */
    uint64_t pub_tokens_ms;
    uint64_t stalled_ms; /* since when entries wait for an ack or the link; 0: none do */
    uint64_t quiet_ms;   /* LIVE: last ping or sign of life; AWAY: since */
    uint64_t typing_ms;
    struct hl_timer timer;
};

struct hl_session_birth {
    struct hl_id id;
    struct hl_author participant;
    struct hl_bytes site; /* empty: default */
    struct hl_bytes identity;
    struct hl_id inbox;
    struct hl_id key; /* an agent's */
    uint64_t scope;
    bool may_write;
    uint64_t generation;
    uint64_t seq; /* expected next */
};
/* In OPENING, in the hub's map, without link. An older struct of the id must have ended.
 * 0, -ENOMEM. */
int hl_session_create(struct hl_hub *hub, const struct hl_session_birth *birth,
                      struct hl_session **out_session);
struct hl_session *hl_session_find(struct hl_hub *hub, const struct hl_id *id);
bool hl_session_is_visitor(const struct hl_session *session);
/* Whether it may follow the conversation, which is there. */
bool hl_session_sees(const struct hl_session *session, const struct hl_conversation *conversation);
struct hl_bytes hl_session_site(const struct hl_session *session);
struct hl_bytes hl_session_identity(const struct hl_session *session); /* empty: none */

/* Takes the link: a stream for good, a poll (rid, deadline) until it is answered. What link
 * it had before is ended as replaced; an earlier poll is answered as superseded. */
void hl_session_bind_stream(struct hl_session *session, struct hl_link *link);
int hl_session_bind_poll(struct hl_session *session, struct hl_link *link, uint64_t rid,
                         uint64_t deadline_ms); /* 0, -ENOMEM */
/* OPENING: the welcome is written. */
void hl_session_welcomed(struct hl_session *session);
/* The transport lost the link. */
void hl_session_lost_link(struct hl_session *session);
/* The poll was answered. */
void hl_session_answered(struct hl_session *session);
/* Ends it: no word to the client (gone, fenced poll) … */
void hl_session_end(struct hl_session *session);
/* … or with bye, or the problem as the poll's answer. */
void hl_session_bye(struct hl_session *session, enum hl_problem_code code, const char *detail);
/* The client has said bye: a stream is closed in peace, a poll is told session_expired. */
void hl_session_leave(struct hl_session *session);
/* Ends it if its conversation was erased: after it was sent the entry that says so. */
void hl_session_consider_erased(struct hl_session *session);
/* Another attachment has taken over: `replaced`. A waiting poll that a poll has displaced is
 * answered as superseded: it may be the same client's, overtaken on the way; if it is not, the
 * next poll is refused as replaced. */
void hl_session_fence(struct hl_session *session, bool is_by_poll);
void hl_session_free(struct hl_session *session); /* ENDED; the hub's sweep */

/* Where to write the next frame to it; LIVE, POLLED and OPENING only. */
struct hl_buffer *hl_session_frame(struct hl_session *session);
/* Sends what was written: a stream at once, a poll if it is ready to be answered. */
void hl_session_flush(struct hl_session *session);
/* May entries be written now, without being queued anywhere? */
bool hl_session_can_take(const struct hl_session *session);
/* Entries wait for ack or link (or no longer do). */
void hl_session_stall(struct hl_session *session);
void hl_session_progress(struct hl_session *session);
/* Any message came in. */
void hl_session_heard(struct hl_session *session);

#endif
