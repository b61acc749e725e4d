/* The request gate: reads one HTTP/1.x request head strictly, or says why it is refused. Every
 * byte a client sends as HTTP passes here before anything acts on it; what is ambiguous is
 * refused, because two programs that read it differently can be played against each other
 * (request smuggling). Pure: no sockets, no memory of its own; views point into the input. */
#ifndef HL_GATEWAY_GATE_H
#define HL_GATEWAY_GATE_H

#include "agent-api/exchange.h"
#include "gateway/forwarded.h"

enum { HL_GATE_HEADERS_MAX = 64 };

/* What a WebSocket handshake asks for (RFC 6455 section 4.2.1). */
struct hl_gate_upgrade {
    bool is_wanted;      /* Upgrade names websocket and Connection names upgrade */
    struct hl_bytes key; /* 24 base64 characters */
    struct hl_bytes version;
    bool offers_v1, offers_events, offers_echo; /* holdline.v1, holdline.events.v1, holdline.echo */
    bool has_protocols;
    bool offers_deflate; /* a permessage-deflate offer that leaves the window to us */
};

struct hl_gate_head {
    enum hl_method method;
    struct hl_bytes path, query;
    struct hl_bytes headers[HL_HEADER_END];
    bool is_http_1_0;
    bool is_keep_alive;
    uint64_t content_length; /* 0 if absent */
    size_t size;             /* of the head, its empty line included */
    struct hl_gate_upgrade upgrade;
    struct hl_forwarded forwarded[2]; /* by enum hl_forwarded_header; what anybody may claim */
};

/* Why a head is refused. The connection must be closed after the answer: where the next
 * request would begin is not known. */
struct hl_gate_refusal {
    enum hl_problem_code code;
    const char *detail; /* static text */
};

enum { HL_GATE_MORE = 1, HL_GATE_REFUSED };

/* Reads the head at the start of `input`. 0; HL_GATE_MORE: it is not complete yet (and all
 * lines that are complete are good); HL_GATE_REFUSED. */
int hl_gate_read(struct hl_bytes input, size_t head_bytes_max, struct hl_gate_head *out_head,
                 struct hl_gate_refusal *out_refusal);

#endif
