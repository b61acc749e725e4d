/* HTTP/1.1 on connections: reads requests through the gate, hands them on as exchanges or
 * poll links, hands WebSocket handshakes to the WebSocket engine. Thread: the loop's. */
#ifndef HL_GATEWAY_HTTP_H
#define HL_GATEWAY_HTTP_H

#include "gateway/conn.h"
#include "gateway/gate.h"

/* Serves a new connection. Takes fd and the place in the limits. 0, -errno. */
int hl_http_open(struct hl_wire *wire, int fd, const struct sockaddr *address,
                 const struct hl_limits_key *key);

/* A new id of a request, for its errors. */
void hl_http_make_request_id(char out_text[HL_ID_TEXT_SIZE]);

/* One request under way, from its head to the end of its answer. Only http*.c look inside.
 * conn->in is not read on meanwhile, so the views of the head stay good. */
struct hl_http_request {
    struct hl_exchange exchange; /* first: its operations are http_answer.c's */
    struct hl_link link;         /* of a poll */
    struct hl_conn *conn;        /* NULL: it died, the handler has not answered yet */
    struct hl_gate_head head;
    struct hl_buffer extra;   /* response header lines of the handler */
    struct hl_buffer kept;    /* the input, once conn is NULL */
    struct hl_limits_key key; /* of the client, who may be behind a proxy */
    char address[46];
    bool has_cache_control; /* among them */
    bool has_cors;          /* among them: the handler says who may read the answer */
    bool is_poll;           /* link is the hub's */
    bool is_keep_alive;
    bool is_answered; /* the answer, or the head of the stream, is written */
    bool is_stream;
    bool is_origin_allowed; /* an Origin was sent and may read the answer */
};

extern const struct hl_exchange_ops hl_http_exchange_ops; /* http_answer.c */
extern const struct hl_link_ops hl_http_poll_ops;

/* http_answer.c says that the answer is written whole. Frees the request. */
void hl_http_request_done(struct hl_http_request *request);

#endif
