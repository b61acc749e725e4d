/* One client connection as the core sees it: the transport implements the operations, the
 * core calls them on the loop's thread. A link carries UTF-8 JSON text messages; each is one
 * frame (an object) or a batch (an array of frames). */
#ifndef HL_SESSION_LINK_H
#define HL_SESSION_LINK_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/list.h"
#include "session/problem.h"

enum hl_link_kind { HL_LINK_STREAM, HL_LINK_POLL };

struct hl_link;

/* None of these calls back into the hub: what the transport learns meanwhile (a dead peer, a
 * writable socket) it tells afterwards. */
struct hl_link_ops {
    /* May the core hand over a message now without it being queued in this process? Asked
     * before each send of log entries; acks and verdicts are sent regardless (they are
     * bounded by what the client itself sent). */
    bool (*is_ready)(struct hl_link *link);
    /* STREAM: one text message. Lent for the call; HL_LINK_PRE bytes in front of text.data
     * are writable scratch for the transport's framing.
     * POLL: the whole answer body (status 200); once; after it the link is gone: the core
     * has already forgotten it and the transport may free it. */
    void (*send)(struct hl_link *link, struct hl_bytes text);
    /* Ends the link: STREAM: close with the problem's close code after what was sent; POLL:
     * answer with the problem as HTTP status and document. NULL (STREAM only): the client said
     * bye; a normal close. The core has already forgotten the link. */
    void (*close)(struct hl_link *link, const struct hl_problem *problem);
};

enum { HL_LINK_PRE = 16 }; /* at least LWS_PRE; asserted in gateway/ws/ws.c */

struct hl_relay;
struct hl_session;

struct hl_link { /* the transport embeds it; zeroed, then ops and kind set */
    const struct hl_link_ops *ops;
    enum hl_link_kind kind;
    struct hl_bytes address;    /* peer, for logs and limits; outlives the link */
    struct hl_bytes origin;     /* of the page that opened it, outlives the link; empty: no page */
    bool is_same_host;          /* that page came from this gateway's own host */
    struct hl_session *session; /* the core's; NULL before hello */
    struct hl_relay *relay;     /* the core's; POLL: another hub answers it */
    struct hl_list member;      /* the core's */
    uint64_t deadline_ms;       /* the core's: hello must have come by then */
    uint32_t n_errors;          /* the core's */
};

#endif
