/* One accepted connection: the socket, TLS if there is any, what came in and what must go
 * out, one deadline. It knows nothing of HTTP; its user (http.c, tunnel.c) does.
 * Thread: the loop's. Freed by itself after hl_conn_close, in a later turn of the loop, so a
 * pointer stays good until the current callback returns. */
#ifndef HL_GATEWAY_CONN_H
#define HL_GATEWAY_CONN_H

#include <uv.h>

#include "base/bytes.h"
#include "gateway/wire_state.h"

struct hl_conn;

struct hl_conn_ops { /* what its user wants to hear */
    /* More is in conn->in, or conn->is_eof was set. */
    void (*input)(struct hl_conn *conn);
    /* All that was written has left. */
    void (*drained)(struct hl_conn *conn);
    /* The deadline passed. */
    void (*due)(struct hl_conn *conn);
    /* It is being closed: the last call. */
    void (*gone)(struct hl_conn *conn);
};

enum hl_conn_phase {
    HL_CONN_HANDSHAKE, /* TLS */
    HL_CONN_OPEN,
    HL_CONN_FINISHING, /* flushing, then half closed, waiting for the peer's end */
    HL_CONN_CLOSED
};

struct hl_conn {
    struct hl_wire *wire;
    const struct hl_conn_ops *ops;
    void *user;
    struct hl_list member; /* wire.conns */
    struct hl_list ready;  /* wire.ready */
    struct hl_list due_link;
    enum hl_due due;
    uint64_t due_at_ms;
    uv_poll_t poll;
    int events; /* what poll waits for */
    int fd;
    enum hl_conn_phase phase;
    struct hl_tls_stream *tls; /* NULL: plain */
    struct hl_buffer in;
    size_t in_min; /* below this much in `in` there is nothing to do; the user's */
    struct hl_buffer out;
    size_t out_sent;  /* of out */
    size_t discarded; /* while finishing */
    bool lingers;
    bool wants_input;
    bool watches_end;    /* wants to know the peer's end although it wants no input */
    bool wants_writable; /* TLS must write before it can go on reading */
    bool is_eof;
    bool is_broken;  /* writing failed; closed in a later turn */
    bool is_counted; /* holds its place in the limits */
    bool is_proxy;   /* the peer is one we trust */
    struct in6_addr peer;
    struct hl_limits_key key;
    char address[46];
};

/* Takes fd (closes it on failure) and the place in the limits. 0, -errno. */
int hl_conn_open(struct hl_wire *wire, int fd, const struct sockaddr *address,
                 const struct hl_limits_key *key, const struct hl_conn_ops *ops);

/* The user reads conn->in itself and takes bytes off its front with this. */
void hl_conn_consume(struct hl_conn *conn, size_t size);
void hl_conn_want_input(struct hl_conn *conn, bool wants_input);
/* While no input is wanted: input() is called with is_eof when the peer goes. */
void hl_conn_watch_end(struct hl_conn *conn);
/* Calls input() in a later turn of the loop. */
void hl_conn_resume_later(struct hl_conn *conn);
void hl_conn_resume(struct hl_conn *conn); /* wire.c, for those of wire.ready */

bool hl_conn_is_drained(const struct hl_conn *conn);
/* Sends now what the socket takes, keeps the rest. If the socket is broken, or more than the
 * response limit waits, the connection is closed in a later turn. */
void hl_conn_write(struct hl_conn *conn, struct hl_bytes data);

void hl_conn_set_due(struct hl_conn *conn, enum hl_due due);

/* Sends what is waiting, says goodbye and closes. `lingers`: the peer may still be sending;
 * what comes is read and dropped for a while, since unread bytes would turn the close into a
 * reset that may overtake our answer. ops->gone comes at the end. */
void hl_conn_finish(struct hl_conn *conn, bool lingers);
void hl_conn_close(struct hl_conn *conn); /* at once; may be called twice */

/* Gives the plain socket and its place in the limits away; the connection is over, without
 * ops->gone. */
int hl_conn_take_fd(struct hl_conn *conn);

/* Calls ops->due of every connection whose deadline passed. */
void hl_conn_check_due(struct hl_wire *wire);

#endif
