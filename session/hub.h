/* The hub: owns the sessions of one loop and is the only door for the transports. No sockets,
 * no SQL, no clock or randomness of its own: everything comes in through hl_hub_config, so
 * that the whole core runs under a seed (tests/sim).
 *
 * Thread: the loop's, for every call. Several hubs of a process share a registry
 * (registry.h), which knows where each session is attached and with which generation. */
#ifndef HL_SESSION_HUB_H
#define HL_SESSION_HUB_H

#include "base/clock.h"
#include "base/loop.h"
#include "session/link.h"
#include "session/registry.h"
#include "session/token.h"
#include "store/log.h"

struct hl_hub;

/* Every bound of the core, with its default in hl_hub_limits_default. */
struct hl_hub_limits {
    uint32_t message_bytes_max;        /* one text message in; 65536 */
    uint32_t body_bytes_max;           /* body of one pub, canonical; 16384 */
    uint32_t batch_frames_max;         /* frames in one message; 256 */
    uint32_t subscriptions_max;        /* conversations per session; 256 */
    uint32_t sessions_max;             /* per hub; 100000 */
    uint32_t credit_entries;           /* sent and not acknowledged, per conversation; 512 */
    uint32_t page_entries, page_bytes; /* one read; 128, 32768 */
    uint32_t poll_bytes_max;           /* one poll answer; 262144 */
    uint32_t poll_wait_ms_max;         /* 25000 */
    uint32_t hello_ms;                 /* 10000 */
    uint32_t ping_ms, pong_ms;         /* 25000, 10000 */
    uint32_t stall_ms;       /* sent but not acknowledged for so long: slow_consumer; 30000 */
    uint32_t session_ttl_ms; /* detached sessions are forgotten after; 60000 */
    uint32_t token_ttl_s;    /* resume tokens; 2592000 (30 days) */
    uint32_t pubs_per_s, pubs_burst; /* per session; 50, 200; 0: no limit */
    uint32_t errors_max;             /* invalid frames per link before protocol_abuse; 20 */
};
extern const struct hl_hub_limits hl_hub_limits_default;

/* Who an agent's secret belongs to: implemented beside the directory. */
enum { HL_NAME_SIZE_MAX = 64 };
struct hl_bearer {
    struct hl_id id;
    struct hl_id key; /* that the secret is of; an agent may have several */
    uint8_t role;     /* enum hl_role: HL_ROLE_AGENT or HL_ROLE_INTEGRATION */
    bool may_write;   /* false: reads only */
    uint64_t scope;   /* another one: other conversations are there for them */
};
struct hl_agents { /* Loop thread, must not block. */
    /* May be NULL: no agents over links. 0, HL_AGENTS_UNKNOWN. */
    int (*find)(void *arg, struct hl_bytes secret, struct hl_bearer *out_bearer);
    /* Whether both are good still, and what they may now: after the directory changed. May be
     * NULL: keys are never revoked. */
    bool (*renew)(void *arg, const struct hl_id *agent, const struct hl_id *key,
                  struct hl_bearer *out_bearer);
    /* Whether a conversation exists for the agent. May be NULL: all do. */
    bool (*sees)(void *arg, const struct hl_id *agent, const struct hl_conversation *conversation);
    /* What visitors may call the agent; empty: nothing. May be NULL: nobody has a name. */
    void (*name)(void *arg, const struct hl_id *agent, char out_name[HL_NAME_SIZE_MAX + 1]);
    void *arg;
};
enum { HL_AGENTS_UNKNOWN = 1 };

/* Where somebody wants to go, before he is let in. */
struct hl_visit {
    struct hl_bytes site;      /* never empty */
    struct hl_bytes inbox;     /* id or name; empty: the site's default … */
    struct hl_id inbox_before; /* … unless it was this one, if that is still there */
    struct hl_bytes identity, identity_hash; /* empty: none */
    const struct hl_link *link;              /* origin of the page */
    bool is_agent;
};
/* Which sites are served and what they ask for: implemented beside the directory. */
struct hl_sites { /* Loop thread, must not block. */
    /* May be NULL: only config.site, which has no inboxes. 0, or why not. */
    int (*admit)(void *arg, const struct hl_visit *visit, struct hl_id *out_inbox);
    void *arg;
};
enum {
    HL_VISIT_NO_SITE = 1,
    HL_VISIT_NO_INBOX,
    HL_VISIT_NO_ORIGIN,  /* the page's origin is not the site's */
    HL_VISIT_NO_IDENTITY /* the hash does not prove it */
};

struct hl_hub_config {
    struct hl_log *log;
    struct hl_loop *loop;
    const struct hl_clock *clock;
    const struct hl_random *random;
    struct hl_registry *registry;     /* shared by the process's hubs */
    const struct hl_token_keys *keys; /* swapped by hl_hub_set_keys on reload */
    struct hl_agents agents;
    struct hl_sites sites;
    const char *node; /* name told in welcome */
    const char *site; /* default site */
    struct hl_hub_limits limits;
};

/* 0, -ENOMEM. */
int hl_hub_create(const struct hl_hub_config *config, struct hl_hub **out_hub);
/* Ends all links as draining, then frees once requests under way have come back: `destroyed`
 * runs on the loop. */
void hl_hub_destroy(struct hl_hub *hub, void (*destroyed)(void *arg), void *arg);
void hl_hub_set_keys(struct hl_hub *hub, const struct hl_token_keys *keys);
/* What is under way keeps to the bounds it met; what comes next meets these. */
void hl_hub_set_limits(struct hl_hub *hub, const struct hl_hub_limits *limits);
/* Call when keys of agents were revoked: ends the sessions of those that are not active. */
void hl_hub_revoke_agents(struct hl_hub *hub);

/* STREAM links. After the core called ops->close, or after hl_hub_link_gone, neither side
 * uses the link again. */
void hl_hub_link_open(struct hl_hub *hub, struct hl_link *link);
void hl_hub_link_receive(struct hl_hub *hub, struct hl_link *link, struct hl_bytes message);
void hl_hub_link_writable(struct hl_hub *hub, struct hl_link *link);
void hl_hub_link_gone(struct hl_hub *hub, struct hl_link *link);

/* POLL links: one request. The core answers through ops->send or ops->close once, at once or
 * after a wait; hl_hub_link_gone if the connection died before. */
void hl_hub_poll(struct hl_hub *hub, struct hl_link *link, struct hl_bytes body);

/* Call about every 100 ms: pings, deadlines, poll waits, expiry. */
void hl_hub_tick(struct hl_hub *hub);

/* Tells every session to come back at a random moment within window_ms; parked polls are
 * answered with the drain frame spread over the window. New hellos are refused as draining. */
void hl_hub_drain(struct hl_hub *hub, uint32_t window_ms, uint32_t deadline_ms);

struct hl_hub_stats {
    uint64_t sessions, streams, polls_parked, links_waiting_hello;
    uint64_t frames_in, frames_out, bytes_out, pubs, pub_errors, resumes, gaps, resets, replays,
        stalls, fenced;
};
void hl_hub_stats(const struct hl_hub *hub, struct hl_hub_stats *out_stats);

#endif
