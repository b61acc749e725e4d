/* Who may come in: connections in all and per address, the rate of new connections, requests
 * per address. One table for the process, shared by all loops; counters of the wire beside it.
 * Thread: any; a mutex guards the table and is held for a few list steps. */
#ifndef HL_GATEWAY_WIRE_LIMITS_H
#define HL_GATEWAY_WIRE_LIMITS_H

#include <stdatomic.h>
#include <sys/socket.h>

#include "gateway/wire.h"

/* What counts as one address: an IPv4 address, or an IPv6 /64 (one customer's network). */
struct hl_limits_key {
    uint8_t b[16];
};

struct hl_limits_key hl_limits_key_of(const struct sockaddr *address);
/* The text of the address for logs, as "192.0.2.1" or "2001:db8::1". */
void hl_limits_address_text(const struct sockaddr *address, char *out_text, size_t out_size);

enum hl_admission {
    HL_ADMITTED,
    HL_ADMISSION_ADDRESS, /* too many connections of this address */
    HL_ADMISSION_TOTAL,
    HL_ADMISSION_RATE
};
/* Counts a new connection in, or says why not. Never pushes an old one out. `is_proxy`: it stands
 * for many clients, and only counts in all. */
enum hl_admission hl_limits_admit(struct hl_wire_shared *shared, const struct hl_limits_key *key,
                                  bool is_proxy, uint64_t now_ms);
void hl_limits_release(struct hl_wire_shared *shared, const struct hl_limits_key *key);

/* A connection turns out to be another address's: a WebSocket behind a proxy. False: that one has
 * as many as allowed; nothing has changed. */
bool hl_limits_move(struct hl_wire_shared *shared, const struct hl_limits_key *from,
                    const struct hl_limits_key *to, uint64_t now_ms);

/* Takes one request from the address's bucket. 0, or HL_LIMITS_TOO_FAST with the wait. */
enum { HL_LIMITS_TOO_FAST = 1 };
int hl_limits_request(struct hl_wire_shared *shared, const struct hl_limits_key *key,
                      uint64_t now_ms, uint32_t *out_retry_ms);

void hl_limits_copy(struct hl_wire_shared *shared, struct hl_wire_limits *out_limits);

/* Counters: only ever added to, read by hl_wire_shared_stats. */
enum hl_wire_counter {
    HL_COUNT_ACCEPTED,
    HL_COUNT_REFUSED_ADDRESS,
    HL_COUNT_REFUSED_TOTAL,
    HL_COUNT_REFUSED_RATE,
    HL_COUNT_GATE_REFUSALS,
    HL_COUNT_REQUESTS,
    HL_COUNT_TOO_FAST,
    HL_COUNT_WEBSOCKETS,
    HL_COUNT_TLS_ERRORS,
    HL_COUNT_TIMEOUTS,
    HL_COUNT_BYTES_IN,
    HL_COUNT_BYTES_OUT,
    HL_COUNT_END
};
void hl_limits_count(struct hl_wire_shared *shared, enum hl_wire_counter counter, uint64_t n);

#endif
