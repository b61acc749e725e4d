/* Thousands of client connections in one thread: non-blocking TCP to a port of 127.0.0.1, on
 * which a WebSocket, plain HTTP/1.1 or raw bytes are spoken. Written for the tests; shares no
 * code with the server. Thread: one. */
#ifndef HL_TESTS_BENCH_NET_H
#define HL_TESTS_BENCH_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum net_kind { NET_WS, NET_HTTP, NET_RAW };
enum net_state { NET_CLOSED, NET_CONNECTING, NET_UPGRADING, NET_OPEN };

struct net_conn;

struct net_handler {
    /* Ready to send. */
    void (*opened)(struct net_conn *conn);
    /* A WebSocket text, the body of an HTTP answer (conn->status), or raw bytes (returns how
     * many were used; else the return is ignored). Lent for the call. */
    size_t (*received)(struct net_conn *conn, const char *data, size_t size);
    /* Ended, by the peer or an error; the descriptor is closed already. Not called after
     * net_close. May connect again. */
    void (*closed)(struct net_conn *conn);
};

struct net_conn { /* the owner's memory; zeroed before the first use */
    struct net *net;
    const struct net_handler *handler;
    void *owner;
    int fd;
    enum net_kind kind;
    enum net_state state;
    int status;      /* of the last HTTP answer or refused upgrade */
    bool is_stalled; /* never reads: set before or after opening, then call net_stall */
    bool wants_write;
    char *in, *out; /* what is not complete, or not sent; NULL when empty */
    size_t in_size, in_capacity, out_size, out_sent, out_capacity;
    uint64_t bytes_in;
};

struct net {
    int epoll;
    uint32_t random;
    char *scratch; /* one read */
};

int net_init(struct net *net); /* 0, -errno */
void net_fini(struct net *net);
/* Starts to connect; opened() or closed() follows. `path` is that of the upgrade, else NULL. */
int net_connect(struct net *net, struct net_conn *conn, enum net_kind kind, uint16_t port,
                const char *path, const struct net_handler *handler, void *owner);
/* Sends one WebSocket text, or raw bytes. Buffers what the kernel does not take. */
void net_send(struct net_conn *conn, const char *data, size_t size);
/* One HTTP request; the answer comes by received(). `headers` are whole lines, may be "". */
void net_request(struct net_conn *conn, const char *method, const char *path, const char *headers,
                 const char *body, size_t size);
void net_stall(struct net_conn *conn);
/* Closes at once, without a WebSocket close frame. Does nothing when closed. */
void net_close(struct net_conn *conn);
/* Frees buffers as well. */
void net_drop(struct net_conn *conn);
/* Waits at most timeout_us for events and handles them; 0 polls. */
void net_step(struct net *net, uint64_t timeout_us);

#endif
