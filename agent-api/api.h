/* The agents' REST API of one loop: conversations, messages, claims, the event feed. Every
 * write is a submit to the log, every read a read of it; nothing is kept between requests but
 * the open feeds. docs/internals/api.md explains it, agent-api/openapi.yaml lists it.
 *
 * Thread: the loop's, for every call. */
#ifndef HL_AGENT_API_API_H
#define HL_AGENT_API_API_H

#include "agent-api/exchange.h"
#include "agent-api/feed/presence_table.h"
#include "agent-api/online.h"
#include "base/clock.h"
#include "session/registry.h"
#include "store/directory.h"
#include "store/index.h"
#include "store/log.h"

struct hl_api_config {
    struct hl_log *log;
    struct hl_loop *loop;
    const struct hl_clock *clock;
    const struct hl_random *random;
    struct hl_directory *directory; /* asked for every request */
    struct hl_index *index;
    struct hl_registry *registry; /* signals to and from the other loops */
    struct hl_online *online;     /* shared by the loops, like the next */
    struct hl_presence *presence;
    uint32_t body_bytes_max; /* of one entry */
    uint32_t feeds_max;      /* parked long-polls and streams */
};

struct hl_api;

/* 0, -ENOMEM. */
int hl_api_create(const struct hl_api_config *config, struct hl_api **out_api);
/* Whether requests of this path belong here. */
bool hl_api_owns(struct hl_bytes path);
/* Answers at once or later. */
void hl_api_handle(struct hl_api *api, struct hl_exchange *exchange);
/* Call about every 100 ms: waits that are over, heartbeats, revoked keys. */
void hl_api_tick(struct hl_api *api);
/* Answers parked long-polls and ends streams; feeds opened later are refused as draining. */
void hl_api_drain(struct hl_api *api);
/* When no exchange comes any more: frees the API once its requests to the log have come back;
 * `closed` then runs, at once or later. */
void hl_api_close(struct hl_api *api, void (*closed)(void *arg), void *arg);

struct hl_api_stats {
    uint64_t requests, unauthorized, feeds, feed_events;
};
void hl_api_stats(const struct hl_api *api, struct hl_api_stats *out_stats);

#endif
