/* A station is one gateway loop with all that runs on it: its thread, its sessions, its
 * listening socket, its handlers. Stations share the log, the registry of sessions, the
 * keys and the counters of the wire.
 *
 * Thread: the main thread creates, starts, tells and joins; all else is the station's own. */
#ifndef HL_GATEWAY_SERVER_STATION_H
#define HL_GATEWAY_SERVER_STATION_H

#include <pthread.h>
#include <stdatomic.h>

#include "agent-api/api.h"
#include "agent-api/person/jobs.h"
#include "gateway/config.h"
#include "gateway/enquiry/enquiry.h"
#include "gateway/secrets.h"
#include "gateway/server/page.h"
#include "gateway/signin/oidc.h"
#include "gateway/visit/lobby.h"
#include "gateway/web/asset.h"
#include "session/registry.h"

struct hl_station_stats {
    struct hl_hub_stats hub;
    struct hl_api_stats api;
    struct hl_jobs_stats jobs;
    uint64_t enquiries, enquiries_repeated, enquiries_refused;
};

struct hl_station;

/* What the process shares, read by every station. The main thread owns it. */
struct hl_house {
    struct hl_log *log;
    struct hl_directory *directory;
    struct hl_log *audit;
    struct hl_audit_memory *audit_memory;
    struct hl_index *index;
    struct hl_registry *registry;
    struct hl_online *online;
    struct hl_presence *presence;
    struct hl_wire_shared *wire;
    struct hl_pages *pages; /* NULL: none */
    const struct hl_asset_set *assets;
    const struct hl_clock *clock;
    const struct hl_random *random;
    struct hl_signin_shared signin;
    struct hl_oidc *oidc;      /* NULL: none */
    struct hl_secrets secrets; /* tokens: the main thread's; the rest is never changed */
    int64_t started_ms;
    uint64_t disk_free_min;
    size_t n_stations;
    struct hl_station **stations;
    /* Written by the main thread, read anywhere. */
    atomic_bool has_jobs; /* a station carries them out */
    atomic_bool is_draining;
    atomic_uint_fast64_t disk_free; /* of the data folder's file system */
    atomic_uint ready_wait_ms_max;
    atomic_bool metrics_public;
    char node[65];
    char region[33];
};

/* Takes listen_fd, also when it fails. 0, -errno; `why` gets one line. */
int hl_station_create(struct hl_house *house, const struct hl_config *config, int listen_fd,
                      char *why, size_t why_size, struct hl_station **out_station);
int hl_station_start(struct hl_station *station);    /* its thread; 0, -errno */
void hl_station_join(struct hl_station *station);    /* after hl_station_close */
void hl_station_abandon(struct hl_station *station); /* never started: closes it */
/* Closed, and joined if it was started; after the log was closed, which may still be posting to
 * its loop. Accepts NULL. */
void hl_station_destroy(struct hl_station *station);

/* Orders from the main thread; carried out on the station's thread, in order. */
void hl_station_drain(struct hl_station *station, uint32_t window_ms, uint32_t deadline_ms);
void hl_station_refuse(struct hl_station *station); /* no new connections */
void hl_station_close(struct hl_station *station);
int hl_station_reload(struct hl_station *station, const struct hl_config *config); /* 0, -ENOMEM */
int hl_station_set_tokens(struct hl_station *station, const struct hl_token_keys *keys);

bool hl_station_is_closed(struct hl_station *station);
/* As of the last tick, at most a fraction of a second ago; any thread. */
void hl_station_stats(struct hl_station *station, struct hl_station_stats *out_stats);
uint64_t hl_station_last_tick_ms(struct hl_station *station); /* monotonic */

/* health.c, metrics.c: hl_route.handle with struct hl_house as argument. */
void hl_health_live(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params);
void hl_health_ready(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params);
void hl_metrics_get(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params);

#endif
