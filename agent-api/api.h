/* The agents' REST API of one loop: conversations, messages, claims, the event feed. Every
 * write is a submit to the log, every read a read of it; nothing is kept between requests but
 * the open feeds. docs/internals/api.md explains it, agent-api/openapi.yaml lists it.
 *
 * Thread: the loop's, for every call. */
#ifndef HL_AGENT_API_API_H
#define HL_AGENT_API_API_H

#include "agent-api/audit.h"
#include "agent-api/exchange.h"
#include "agent-api/feed/presence_table.h"
#include "agent-api/online.h"
#include "base/clock.h"
#include "session/registry.h"
#include "store/directory.h"
#include "store/index.h"
#include "store/log.h"

/* Who signed in with a cookie: implemented by the gateway. */
struct hl_passes {
    /* Loop thread, must not block. May be NULL: nobody signs in. 0, HL_PASSES_…. May add headers
     * to the answer. */
    int (*find)(void *arg, struct hl_exchange *exchange, struct hl_principal *out_who);
    void *arg;
    bool has_oidc; /* told to who is not signed in */
};
enum {
    HL_PASSES_NONE = 1, /* no cookie, or none that is good */
    HL_PASSES_FORBIDDEN /* a good one, but the request is not from a page of ours */
};

struct hl_audit_memory;

struct hl_api_config {
    struct hl_log *log;
    struct hl_loop *loop;
    const struct hl_clock *clock;
    const struct hl_random *random;
    struct hl_directory *directory; /* asked for every request */
    struct hl_index *index;         /* NULL: what it would tell is not told */
    struct hl_registry *registry;   /* signals to and from the other loops */
    struct hl_online *online;       /* shared by the loops, like the next */
    struct hl_presence *presence;
    struct hl_passes passes;
    struct hl_log *audit;                 /* takes an entry of what people do and read */
    struct hl_audit_memory *audit_memory; /* audit/memory.h */
    const char *site;                     /* of things whose site is not named */
    uint32_t body_bytes_max;              /* of one entry */
    uint32_t feeds_max;                   /* parked long-polls, streams, WebSockets */
};

struct hl_api;

/* 0, -ENOMEM. */
int hl_api_create(const struct hl_api_config *config, struct hl_api **out_api);
/* Whether requests of this path belong here. */
bool hl_api_owns(struct hl_bytes path);
/* Answers at once or later. */
void hl_api_handle(struct hl_api *api, struct hl_exchange *exchange);
/* Who asks: false: answered with 401 or 403. */
bool hl_api_authenticate(struct hl_api *api, struct hl_exchange *exchange,
                         struct hl_principal *out_who);
/* Whether it comes with a cookie that signs in, be it allowed to or not. */
bool hl_api_has_pass(struct hl_api *api, struct hl_exchange *exchange);
/* Answers with who that is, as GET /v1/agent does. */
void hl_api_answer_agent(struct hl_api *api, struct hl_exchange *exchange,
                         const struct hl_principal *who);
/* Call about every 100 ms: waits that are over, heartbeats, revoked keys. */
void hl_api_tick(struct hl_api *api);
/* Answers parked long-polls and ends streams; feeds opened later are refused as draining. */
void hl_api_drain(struct hl_api *api);
/* When no exchange comes any more: frees the API once its requests to the log have come back;
 * `closed` then runs, at once or later. */
void hl_api_close(struct hl_api *api, void (*closed)(void *arg), void *arg);

struct hl_api_stats {
    uint64_t requests, unauthorized, feeds, feed_events, audit_failures;
};
void hl_api_stats(const struct hl_api *api, struct hl_api_stats *out_stats);

#endif
