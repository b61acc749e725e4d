/* Which attachment of a session is the newest, for all loops of a process. Generations rise
 * with every attach and never fall across restarts (the log's boot count is their upper part).
 * It also carries signals between hubs: fences, and what is told to others but not stored.
 * Thread: any; one short lock. */
#ifndef HL_SESSION_REGISTRY_H
#define HL_SESSION_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/loop.h"
#include "store/entry.h"

struct hl_registry;

int hl_registry_create(uint64_t boots, struct hl_registry **out_registry); /* 0, -ENOMEM */
void hl_registry_destroy(struct hl_registry *registry); /* after all its hubs; accepts NULL */

/* ---- signals ---- */

enum hl_signal_kind {
    HL_SIGNAL_FENCE,    /* session below generation is over; is_on: a poll took over */
    HL_SIGNAL_TYPING,   /* is_on */
    HL_SIGNAL_PRESENCE, /* is_on; asks those present to say so, to `session` alone */
    HL_SIGNAL_VIEWING,  /* an agent looks at it; for agents' feeds only */
    HL_SIGNAL_ONLINE,   /* an agent is there; of no conversation; for agents' feeds only */
    HL_SIGNAL_RELAY,    /* a poll of a session of this hub; never lost once it was put in */
};

struct hl_relay;

struct hl_signal {
    enum hl_signal_kind kind;
    struct hl_id session; /* FENCE: whose; else: who it comes from and need not be told */
    struct hl_id target;  /* zero: all of the conversation; else this session alone */
    uint64_t generation;
    struct hl_id conversation;
    struct hl_author from;
    bool is_on;
    struct hl_relay *relay;
};

/* A hub, or who else hears signals, as the others see it. */
struct hl_registry_member {
    struct hl_loop *loop;
    /* On that loop. */
    void (*on_signal)(struct hl_registry_member *member, const struct hl_signal *signal);
    void (*on_left)(struct hl_registry_member *member);
    struct hl_registry *registry; /* the registry's, as all below */
    struct hl_list link;
    struct hl_list inbox;
    struct hl_task task;
    size_t n_inbox;
    bool is_posted, is_leaving;
};
/* Loop thread of the member. */
void hl_registry_join(struct hl_registry *registry, struct hl_registry_member *member);
/* No signal but relays comes any more; on_left runs later, as the last thing of the registry. */
void hl_registry_leave(struct hl_registry_member *member);
/* To every hub, the sender's own included; never blocks. May be lost if a hub is far behind
 * or memory is short: nothing told so is needed for correctness. */
void hl_registry_tell(struct hl_registry *registry, const struct hl_signal *signal);

/* ---- attachments ---- */

#define HL_PROOF_KEY UINT64_MAX

struct hl_attach {
    struct hl_id session;
    struct hl_registry_member *member;
    uint64_t proof; /* generation in the resume token; agents: HL_PROOF_KEY */
    bool is_poll;
    bool is_explicit;    /* by hello, or a poll without generation */
    uint64_t generation; /* poll: that it claims */
    uint64_t rid;        /* poll */
    uint64_t preset;     /* generation to give if the session is new; 0: the next */
};
enum {
    HL_ATTACH_LATE = 1, /* poll: a newer request was seen, or a stream has taken over */
    HL_ATTACH_REPLACED, /* a newer attachment was confirmed */
    HL_ATTACH_UNKNOWN,  /* poll: this hub does not have the newest attachment: attach */
};
/* Whether a poll goes on with the attachment that this hub has: 0, HL_ATTACH_LATE,
 * HL_ATTACH_REPLACED, HL_ATTACH_UNKNOWN (nothing was changed). Confirms the welcome. */
int hl_registry_go_on(struct hl_registry *registry, const struct hl_attach *attach);
/* Gives a poll to the hub that has the session with the generation the poll claims, if that is
 * not the asker's own: HL_SIGNAL_RELAY. False: no other has it, or it takes no more. */
bool hl_registry_relay(struct hl_registry *registry, const struct hl_attach *attach,
                       struct hl_relay *relay);
/* Decides about a hello or a poll. 0: attached (or attached again, if the answer to the same
 * request was lost) as out_generation; the hub that had the session before is told to fence
 * it. An outcome above; -ENOMEM. */
int hl_registry_attach(struct hl_registry *registry, const struct hl_attach *attach,
                       uint64_t *out_generation);
/* A generation for a session that is new. */
uint64_t hl_registry_new_generation(struct hl_registry *registry);
/* The client has seen the welcome of that generation: older tokens are worthless now. */
void hl_registry_confirm(struct hl_registry *registry, const struct hl_id *session,
                         uint64_t generation);
/* How far a session has come with its pubs, for the hub where it goes on. */
struct hl_pace {
    uint64_t seq; /* no lower one is expected any more; 0: nothing is known */
    uint64_t pub_tokens, pub_tokens_ms;
};
/* The link of that generation is gone: a poll may take over without a hello, on any hub. */
void hl_registry_detach(struct hl_registry *registry, const struct hl_id *session,
                        uint64_t generation, const struct hl_pace *pace);
/* What was told last when a link had gone; false: nothing. */
bool hl_registry_pace(struct hl_registry *registry, const struct hl_id *session,
                      struct hl_pace *out_pace);
/* Forgets the session unless a newer generation exists. */
void hl_registry_forget(struct hl_registry *registry, const struct hl_id *session,
                        uint64_t generation);
/* Forgets the session and tells the hub that has it, if any, that it is over. */
void hl_registry_end(struct hl_registry *registry, const struct hl_id *session);
size_t hl_registry_n_sessions(struct hl_registry *registry);

#endif
