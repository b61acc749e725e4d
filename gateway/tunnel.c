#include "gateway/tunnel.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/result.h"

enum { INNER_SEND_BUFFER = 65536, OUTER_CHUNK = 16384 };

struct tunnel {
    struct hl_wire *wire;
    struct hl_conn *conn;
    uv_poll_t poll; /* of the inner socket */
    int fd;
    int events;
};

static void on_inner(uv_poll_t *poll, int status, int events);

static void update_events(struct tunnel *tunnel)
{
    int events = 0;

    if (hl_conn_is_drained(tunnel->conn))
        events |= UV_READABLE;
    if (tunnel->conn->in.size > 0)
        events |= UV_WRITABLE;
    if (events == tunnel->events)
        return;
    tunnel->events = events;
    if (events != 0)
        (void)uv_poll_start(&tunnel->poll, events, on_inner);
    else
        (void)uv_poll_stop(&tunnel->poll);
}

/* Decrypted bytes to libwebsockets. */
static void push_inward(struct tunnel *tunnel)
{
    struct hl_conn *conn = tunnel->conn;

    while (conn->in.size > 0) {
        ssize_t n = send(tunnel->fd, conn->in.data, conn->in.size, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
            hl_conn_finish(conn, false); /* it has closed: nobody reads on */
            return;
        }
        if (n <= 0)
            break;
        hl_conn_consume(conn, (size_t)n);
    }
    if (conn->is_eof && conn->in.size == 0)
        (void)shutdown(tunnel->fd, SHUT_WR); /* it sees the end and closes its side */
    hl_conn_want_input(conn, conn->in.size == 0);
}

/* What libwebsockets wrote to the client. */
static void push_outward(struct tunnel *tunnel)
{
    struct hl_conn *conn = tunnel->conn;
    ssize_t n;

    do {
        n = recv(tunnel->fd, conn->wire->scratch, OUTER_CHUNK, 0);
    } while (n < 0 && errno == EINTR);
    if (n > 0)
        hl_conn_write(conn, (struct hl_bytes){conn->wire->scratch, (size_t)n});
    else if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK))
        hl_conn_finish(conn, false);
}

static void on_inner(uv_poll_t *poll, int status, int events)
{
    struct tunnel *tunnel = poll->data;

    if (status < 0)
        hl_conn_finish(tunnel->conn, false);
    if (tunnel->conn->phase == HL_CONN_OPEN && (events & UV_READABLE) != 0)
        push_outward(tunnel);
    if (tunnel->conn->phase == HL_CONN_OPEN && (events & UV_WRITABLE) != 0)
        push_inward(tunnel);
    if (tunnel->conn->phase == HL_CONN_OPEN)
        update_events(tunnel);
    else if (tunnel->conn->phase == HL_CONN_FINISHING)
        (void)uv_poll_stop(poll);
}

static void on_input(struct hl_conn *conn)
{
    push_inward(conn->user);
    if (conn->phase == HL_CONN_OPEN)
        update_events(conn->user);
}

static void on_drained(struct hl_conn *conn)
{
    update_events(conn->user);
}

static void on_due(struct hl_conn *conn)
{
    hl_conn_close(conn);
}

static void free_tunnel(uv_handle_t *handle)
{
    struct tunnel *tunnel = handle->data;
    struct hl_wire *wire = tunnel->wire;

    free(tunnel);
    HL_CHECK(wire->n_handles > 0);
    wire->n_handles--;
    hl_wire_check_closed(wire);
}

static void on_gone(struct hl_conn *conn)
{
    struct tunnel *tunnel = conn->user;

    uv_close((uv_handle_t *)&tunnel->poll, free_tunnel);
    (void)close(tunnel->fd); /* libwebsockets sees the end */
}

static const struct hl_conn_ops tunnel_ops = {
    .input = on_input,
    .drained = on_drained,
    .due = on_due,
    .gone = on_gone,
};

int hl_tunnel_start(struct hl_conn *conn, int *out_fd)
{
    struct tunnel *tunnel = calloc(1, sizeof(*tunnel));
    int size = INNER_SEND_BUFFER;
    int fds[2];

    if (tunnel == NULL)
        return -ENOMEM;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0) {
        int r = -errno;

        free(tunnel);
        return r;
    }
    if (uv_poll_init(conn->wire->uv, &tunnel->poll, fds[0]) != 0) {
        (void)close(fds[0]);
        (void)close(fds[1]);
        free(tunnel);
        return -ENOMEM;
    }
    /* what a slow client may leave waiting in the kernel between the two ends */
    (void)setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    conn->wire->n_handles++;
    tunnel->wire = conn->wire;
    tunnel->conn = conn;
    tunnel->fd = fds[0];
    tunnel->poll.data = tunnel;
    hl_conn_consume(conn, conn->in.size);
    conn->ops = &tunnel_ops;
    conn->user = tunnel;
    hl_conn_set_due(conn, HL_DUE_NONE);
    hl_conn_want_input(conn, true);
    update_events(tunnel);
    *out_fd = fds[1];
    return 0;
}
