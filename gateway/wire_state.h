/* What the parts of one wire share (inside gateway/ only): its connections, their deadlines,
 * its TLS and its WebSocket engine. Thread: the loop's. */
#ifndef HL_GATEWAY_WIRE_STATE_H
#define HL_GATEWAY_WIRE_STATE_H

#include <uv.h>

#include "gateway/tls.h"
#include "gateway/wire.h"
#include "gateway/wire_limits.h"

/* Deadlines of one kind all last equally long, so each kind is a list in order of time: to set
 * one is to append, to find the passed ones is to look at the front. */
enum hl_due {
    HL_DUE_HEAD,   /* TLS handshake and request head */
    HL_DUE_BODY,   /* request body */
    HL_DUE_IDLE,   /* next request */
    HL_DUE_STALL,  /* the peer takes nothing of what is written */
    HL_DUE_LINGER, /* we are done, the peer has not closed */
    HL_DUE_END,
    HL_DUE_NONE = HL_DUE_END
};

enum { HL_WIRE_SCRATCH_SIZE = 65536 };

struct hl_listener;
struct hl_ws_engine;

struct hl_wire {
    struct hl_wire_config config; /* origins are our own copy: */
    char **origins;
    struct hl_networks proxies;   /* as are these */
    struct hl_wire_limits limits; /* copied from shared; again at reload */
    uv_loop_t *uv;
    struct hl_tls *tls; /* NULL: plain */
    struct hl_listener *listener;
    struct hl_ws_engine *engine;
    struct hl_loop_timer *timer;
    struct hl_list conns;
    struct hl_list due[HL_DUE_END];
    struct hl_list ready; /* connections with input to look at in a later turn */
    struct hl_task ready_task;
    size_t n_handles; /* uv handles of connections not closed yet */
    bool is_closing;
    void (*closed)(void *arg);
    void *closed_arg;
    int64_t date_s; /* the second `date` was made for */
    char date[32];
    struct hl_buffer reply;             /* one answer is put together here */
    char scratch[HL_WIRE_SCRATCH_SIZE]; /* one read */
};

static inline uint64_t hl_wire_now_ms(const struct hl_wire *wire)
{
    return uv_now(wire->uv);
}

/* Called by the parts when something of them is gone; runs `closed` after the last. */
void hl_wire_check_closed(struct hl_wire *wire);

#endif
