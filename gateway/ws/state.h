/* One WebSocket and the engine it belongs to (inside gateway/ only: ws.c, engine.c).
 * Thread: the loop's. */
#ifndef HL_GATEWAY_WS_STATE_H
#define HL_GATEWAY_WS_STATE_H

#include <libwebsockets.h>

#include "gateway/deflate.h"
#include "gateway/ws/ws.h"

enum { HL_WS_ECHO_BYTES_MAX = 20 << 20 /* holdline.echo: conformance suites send 16 MiB */ };

struct hl_ws_engine {
    struct hl_wire *wire;
    struct lws_context *context;
    struct lws_vhost *vhost;
    struct hl_ws *adopting;    /* within lws_adopt_socket_vhost_readbuf */
    struct hl_list stalled;    /* in order of time; the write stall limit is one for all */
    struct hl_list closing;    /* likewise */
    struct hl_deflate *codec;  /* for all connections: no message leaves context behind */
    struct hl_buffer packed;   /* one message going out */
    struct hl_buffer unpacked; /* one coming in */
    size_t n_sockets;          /* libwebsockets has not let go of yet */
    struct hl_task teardown;
    unsigned int turns_left;
};

struct hl_ws_message { /* queued to be written */
    struct hl_list link;
    size_t size;
    bool is_binary, is_packed;
    char data[]; /* LWS_PRE bytes, then size */
};

struct hl_ws {
    struct hl_link link; /* STREAM; not used by echo */
    struct hl_ws_engine *engine;
    struct lws *wsi; /* NULL before and after */
    struct hl_list queue;
    size_t queued_bytes;
    size_t unproven_bytes; /* written since the socket was last seen to have room */
    struct hl_buffer in;   /* of a message that came in pieces; no memory otherwise */
    struct hl_list stall_link, close_link;
    uint64_t stalled_at_ms, close_at_ms;
    const char *close_reason;
    int close_code; /* not 0: closing */
    bool is_close_sent;
    bool is_link_open;           /* the hub knows the link */
    struct hl_ws_events *events; /* holdline.events.v1; NULL: another protocol */
    bool is_echo;
    bool has_deflate;
    bool is_packed;      /* the message that comes in is compressed */
    bool is_frame_ended; /* the piece before this one was its frame's last */
    bool sends_rsv1;     /* the frame being written is */
    bool is_counted;     /* holds a place in the limits */
    bool is_broken;
    struct hl_limits_key key;
    char address[46];
    char *origin; /* of the page; NULL: none */
};

/* One message out; `data` has HL_LINK_PRE writable bytes in front. */
void hl_ws_send(struct hl_ws *ws, struct hl_bytes data, bool is_binary);
/* Whether a message would not be queued in this process; if not, hl_ws_writeable comes. */
bool hl_ws_is_ready(struct hl_ws *ws);
/* After what was sent. `reason` is static. */
void hl_ws_close(struct hl_ws *ws, int code, const char *reason);

/* The largest message it may send to us. */
size_t hl_ws_message_max(const struct hl_ws *ws);

/* What libwebsockets tells (engine.c). An int is the callback's result: -1 closes. */
int hl_ws_established(struct hl_ws *ws);
int hl_ws_receive(struct hl_ws *ws, struct hl_bytes piece);
int hl_ws_writeable(struct hl_ws *ws);
int hl_ws_peer_closes(struct hl_ws *ws, struct hl_bytes payload);

/* The socket is over: the hub hears of it, everything held goes back. May be called twice. */
void hl_ws_leave(struct hl_ws *ws);
void hl_ws_free(struct hl_ws *ws);
/* Makes the socket fail. libwebsockets then closes it from its own event, without the flush
 * and the handshakes that a dead peer would only draw out. */
void hl_ws_kill(struct hl_ws *ws);

#endif
