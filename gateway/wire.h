/* The wire of one loop: own listening socket (SO_REUSEPORT), one libwebsockets context on the
 * loop's uv loop, WebSocket links handed to the hub, HTTP requests handed to the router as
 * exchanges. Everything hostile is met here: the request gate, limits, slow peers.
 * Thread: the loop's. libwebsockets.h is included only by the gateway's wire files. */
#ifndef HL_GATEWAY_WIRE_H
#define HL_GATEWAY_WIRE_H

#include "agent-api/exchange.h"
#include "gateway/forwarded.h"
#include "gateway/loop_uv.h"
#include "session/hub.h"

enum { HL_ORIGINS_MAX = 64 };

/* Bounds shared by all loops; defaults in hl_wire_limits_default. */
struct hl_wire_limits {
    uint32_t connections_max;             /* in all; 16384 */
    uint32_t connections_per_address_max; /* 256 */
    uint32_t accepts_per_s;               /* new connections in all; 2000; 0: no limit */
    uint32_t requests_per_address_per_s, requests_burst; /* 100, 400; 0: no limit */
    uint32_t header_bytes_max;                           /* 8192 */
    uint32_t body_bytes_max;                             /* 131072 */
    uint32_t message_bytes_max;                          /* one WebSocket message; 65536 */
    uint32_t header_ms;                                  /* whole head must be there; 10000 */
    uint32_t body_ms;                                    /* whole body; 20000 */
    uint32_t idle_ms;                                    /* keep-alive without request; 60000 */
    uint32_t write_stall_ms;     /* an answer that makes no progress; 30000 */
    uint64_t response_bytes_max; /* 8 MiB */
};
extern const struct hl_wire_limits hl_wire_limits_default;

struct hl_wire_tls {         /* all NULL: plain */
    const char *certificate; /* PEM chain */
    const char *key;
};

/* Process-wide counters of the wire (connections, per-address table, accept rate). */
struct hl_wire_shared;
int hl_wire_shared_create(const struct hl_wire_limits *limits, struct hl_wire_shared **out_shared);
void hl_wire_shared_destroy(struct hl_wire_shared *shared);
void hl_wire_shared_set_limits(struct hl_wire_shared *shared, const struct hl_wire_limits *limits);

struct hl_wire_stats {
    uint64_t connections, accepted, refused_address, refused_total, refused_rate, gate_refusals,
        requests, requests_too_fast, websockets, tls_errors, timeouts, bytes_in, bytes_out;
};
void hl_wire_shared_stats(struct hl_wire_shared *shared, struct hl_wire_stats *out_stats);

struct hl_wire_config {
    struct hl_loop_uv *loop;
    struct hl_wire_shared *shared;
    struct hl_hub *hub;
    int listen_fd; /* bound, listening, this loop's own; taken over, also on failure */
    struct hl_wire_tls tls;
    const char *const *origins; /* allowed Origin values; "*" alone: any; n 0: same host only */
    size_t n_origins;
    /* Whether pages of other origins are known too; NULL: none are. Called with `arg`. */
    bool (*knows_origin)(void *arg, struct hl_bytes origin);
    const struct hl_networks
        *proxies; /* whose word about clients is taken; NULL: nobody's; copied */
    enum hl_forwarded_header proxy_header;
    bool is_test_mode; /* offers holdline.echo and /test/ routes */
    void (*request)(void *arg, struct hl_exchange *exchange); /* the router */
    void *arg;
};

struct hl_wire;
/* 0, -errno; `why` gets one line (bad certificate, missing event-loop plugin …). */
int hl_wire_create(const struct hl_wire_config *config, char *why, size_t why_size,
                   struct hl_wire **out_wire);
/* For draining: connections without a request are closed, the others after their answer;
 * WebSockets go on. */
void hl_wire_stop_accepting(struct hl_wire *wire);
/* Takes certificate, origins and the shared limits anew; connections go on. On failure all
 * stays as it was. 0, -errno; `why` gets one line. */
int hl_wire_reload(struct hl_wire *wire, const struct hl_wire_config *config, char *why,
                   size_t why_size);
/* Closes what is left; `closed` runs on the loop when nothing of it remains. */
void hl_wire_close(struct hl_wire *wire, void (*closed)(void *arg), void *arg);

/* A bound, listening, non-blocking socket with SO_REUSEPORT. `address` is "HOST:PORT",
 * "[V6]:PORT"; port 0 picks one. Writes the real one to out_port. Unless it is
 * joining others of this process, nobody else may listen there. fd or -errno. */
int hl_listen_socket(const char *address, bool is_joining, uint16_t *out_port, char *why,
                     size_t why_size);

#endif
