/* From hello, or the first poll here, to welcome: who is it, may it attach, where does it
 * stand in its conversations. Thread: the loop's. */
#ifndef HL_SESSION_ATTACH_H
#define HL_SESSION_ATTACH_H

#include "session/frame.h"
#include "session/token.h"

struct hl_hub;
struct hl_link;
struct hl_session;
struct hl_subscription;

enum { HL_PROTOCOL_VERSION = 1, HL_API_KEY_PREFIX_SIZE = 4 };
#define HL_API_KEY_PREFIX "hlk_"

/* Who a token belongs to. */
struct hl_identity {
    bool is_new; /* a visitor that was never here */
    bool is_agent;
    bool may_write;
    struct hl_id key;        /* of an agent */
    uint64_t scope;          /* of an agent, as in hl_bearer */
    struct hl_claims claims; /* visitor: all; agent: participant and site */
    uint8_t role;            /* enum hl_role */
};
/* 0, HL_FRAME_REFUSED with a fault. */
int hl_identity_find(struct hl_hub *hub, struct hl_bytes token, struct hl_identity *out_identity,
                     struct hl_fault *out_fault);
/* Session id of an agent's attachment; keys do not name sessions, but key and generation do. */
struct hl_id hl_identity_session(const struct hl_identity *identity, uint64_t generation);

struct hl_arrival {
    struct hl_identity identity;
    struct hl_bytes site, inbox, verified, verified_hash; /* of the hello; may be empty */
    struct hl_id inbox_id;                                /* where it was let in; zero: none */
    const json_t *positions;
    uint64_t seq;
    struct hl_link *link;                  /* STREAM or POLL */
    uint64_t rid, generation, deadline_ms; /* POLL */
    struct hl_bytes body;                  /* POLL: as it came */
    bool is_explicit;                      /* by hello or without generation */
    const json_t *frames;                  /* array; those from n_taken on come after the welcome */
    size_t n_taken;
};
/* Attaches, or refuses and closes the link. Not for a poll whose session is here. */
void hl_attach(struct hl_hub *hub, struct hl_arrival *arrival);
/* The first frame of a stream's first message. */
void hl_attach_stream(struct hl_hub *hub, struct hl_link *link, const struct hl_frame *hello,
                      const json_t *frames);

/* All starts are known: writes the welcome. False: the session has ended. */
bool hl_attach_welcome(struct hl_session *session);
/* After it and what was read meanwhile: replays on, handles what came before the welcome. */
void hl_attach_finish(struct hl_session *session);
/* Appends a resume token. 0, -ENOMEM. */
int hl_attach_token(struct hl_session *session, int64_t *out_expires_ms,
                    struct hl_buffer *out_token);

#endif
