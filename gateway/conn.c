#include "gateway/conn.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/result.h"

enum { LINGER_MS = 2000, LINGER_BYTES_MAX = 262144, IO_AGAIN = -1, IO_FAILED = -2 };

static void on_poll(uv_poll_t *poll, int status, int events);

/* -- deadlines -- */

static uint32_t duration_of(const struct hl_wire *wire, enum hl_due due)
{
    switch (due) {
    case HL_DUE_HEAD:
        return wire->limits.header_ms;
    case HL_DUE_BODY:
        return wire->limits.body_ms;
    case HL_DUE_IDLE:
        return wire->limits.idle_ms;
    case HL_DUE_STALL:
        return wire->limits.write_stall_ms;
    case HL_DUE_LINGER:
    case HL_DUE_END:
        break;
    }
    return LINGER_MS;
}

void hl_conn_set_due(struct hl_conn *conn, enum hl_due due)
{
    hl_list_remove(&conn->due_link);
    conn->due = due;
    if (due == HL_DUE_NONE || conn->phase == HL_CONN_CLOSED)
        return;
    conn->due_at_ms = hl_wire_now_ms(conn->wire) + duration_of(conn->wire, due);
    hl_list_add(&conn->wire->due[due], &conn->due_link);
}

/* Closes by a reset: what a peer does not read must not stay with the system either. */
static void abort_conn(struct hl_conn *conn)
{
    const struct linger none = {.l_onoff = 1, .l_linger = 0};

    (void)setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
    hl_conn_close(conn);
}

void hl_conn_check_due(struct hl_wire *wire)
{
    uint64_t now_ms = hl_wire_now_ms(wire);

    for (int due = 0; due < HL_DUE_END; due++) {
        while (!hl_list_is_empty(&wire->due[due])) {
            struct hl_conn *conn = HL_CONTAINER_OF(wire->due[due].next, struct hl_conn, due_link);

            if (conn->due_at_ms > now_ms)
                break;
            hl_conn_set_due(conn, HL_DUE_NONE);
            if (due != HL_DUE_IDLE && due != HL_DUE_LINGER)
                hl_limits_count(wire->config.shared, HL_COUNT_TIMEOUTS, 1);
            if (due == HL_DUE_STALL)
                abort_conn(conn);
            else if (conn->phase == HL_CONN_OPEN)
                conn->ops->due(conn);
            else
                hl_conn_close(conn);
        }
    }
}

/* -- what the poll waits for -- */

bool hl_conn_is_drained(const struct hl_conn *conn)
{
    return conn->out.size == conn->out_sent;
}

static void update_events(struct hl_conn *conn)
{
    int events = 0;

    if (conn->phase == HL_CONN_CLOSED)
        return;
    if (conn->wants_input && !conn->is_eof)
        events |= UV_READABLE;
    else if (conn->watches_end && !conn->is_eof)
        events |= UV_DISCONNECT;
    if (!hl_conn_is_drained(conn) || conn->wants_writable)
        events |= UV_WRITABLE;
    if (events == conn->events)
        return;
    conn->events = events;
    if (events != 0)
        (void)uv_poll_start(&conn->poll, events, on_poll);
    else
        (void)uv_poll_stop(&conn->poll);
}

void hl_conn_want_input(struct hl_conn *conn, bool wants_input)
{
    /* TLS may hold bytes it has read from the socket already: no event would come for them */
    if (wants_input && !conn->wants_input && conn->tls != NULL)
        hl_conn_resume_later(conn);
    conn->wants_input = wants_input;
    conn->watches_end = false;
    update_events(conn);
}

void hl_conn_watch_end(struct hl_conn *conn)
{
    conn->watches_end = true;
    update_events(conn);
}

void hl_conn_resume_later(struct hl_conn *conn)
{
    struct hl_wire *wire = conn->wire;

    if (conn->phase == HL_CONN_CLOSED || hl_list_is_linked(&conn->ready))
        return;
    if (hl_list_is_empty(&wire->ready) && !hl_list_is_linked(&wire->ready_task.link))
        hl_loop_post(hl_loop_uv_loop(wire->config.loop), &wire->ready_task);
    hl_list_add(&wire->ready, &conn->ready);
}

/* -- life -- */

static void free_conn(uv_handle_t *handle)
{
    struct hl_conn *conn = handle->data;
    struct hl_wire *wire = conn->wire;

    hl_tls_stream_destroy(conn->tls);
    hl_buffer_fini(&conn->in);
    hl_buffer_fini(&conn->out);
    free(conn);
    HL_CHECK(wire->n_handles > 0);
    wire->n_handles--;
    hl_wire_check_closed(wire);
}

/* Leaves every list and the loop; the socket is the caller's. */
static int detach(struct hl_conn *conn)
{
    int fd = conn->fd;

    conn->phase = HL_CONN_CLOSED;
    conn->fd = -1;
    hl_list_remove(&conn->member);
    hl_list_remove(&conn->ready);
    hl_list_remove(&conn->due_link);
    uv_close((uv_handle_t *)&conn->poll, free_conn);
    return fd;
}

void hl_conn_close(struct hl_conn *conn)
{
    if (conn->phase == HL_CONN_CLOSED)
        return;
    (void)close(detach(conn));
    if (conn->is_counted)
        hl_limits_release(conn->wire->config.shared, &conn->key);
    if (conn->ops->gone != NULL)
        conn->ops->gone(conn);
}

int hl_conn_take_fd(struct hl_conn *conn)
{
    HL_CHECK(conn->phase == HL_CONN_OPEN && conn->tls == NULL && hl_conn_is_drained(conn));
    conn->is_counted = false;
    return detach(conn);
}

/* Small messages leave at once. A peer that is gone without a word, or takes nothing, is given
 * up by the system after the same time as by us: nothing else would tell of it where we only
 * send now and then. Both can fail only on sockets that are no TCP. */
static void set_socket(int fd, const struct hl_wire_limits *limits)
{
    int one = 1;
    unsigned int stall_ms = limits->write_stall_ms;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &stall_ms, sizeof(stall_ms));
}

int hl_conn_open(struct hl_wire *wire, int fd, const struct sockaddr *address,
                 const struct hl_limits_key *key, const struct hl_conn_ops *ops)
{
    struct hl_conn *conn = calloc(1, sizeof(*conn));

    if (conn == NULL)
        goto fail;
    if (wire->tls != NULL && hl_tls_stream_create(wire->tls, fd, &conn->tls) != 0)
        goto fail;
    if (uv_poll_init(wire->uv, &conn->poll, fd) != 0)
        goto fail;
    set_socket(fd, &wire->limits);
    wire->n_handles++;
    conn->poll.data = conn;
    conn->wire = wire;
    conn->ops = ops;
    conn->fd = fd;
    conn->key = *key;
    conn->is_counted = true;
    conn->phase = conn->tls != NULL ? HL_CONN_HANDSHAKE : HL_CONN_OPEN;
    conn->peer = hl_forwarded_peer(address);
    conn->is_proxy = hl_networks_has(&wire->proxies, &conn->peer);
    hl_limits_address_text(address, conn->address, sizeof(conn->address));
    hl_buffer_init(&conn->in,
                   (size_t)wire->limits.header_bytes_max + wire->limits.body_bytes_max + 4096);
    hl_buffer_init(&conn->out, wire->limits.response_bytes_max + 65536);
    hl_list_add(&wire->conns, &conn->member);
    hl_conn_set_due(conn, HL_DUE_HEAD);
    conn->wants_input = true;
    update_events(conn);
    return 0;
fail:
    if (conn != NULL)
        hl_tls_stream_destroy(conn->tls);
    free(conn);
    (void)close(fd);
    hl_limits_release(wire->config.shared, key);
    return -ENOMEM;
}

/* An idle connection holds no buffers. */
static void release_buffer(struct hl_buffer *buffer)
{
    size_t size_max = buffer->size_max;

    hl_buffer_fini(buffer);
    hl_buffer_init(buffer, size_max);
}

/* -- output -- */

/* Bytes written, IO_AGAIN, IO_FAILED. */
static ssize_t write_some(struct hl_conn *conn, const char *data, size_t size)
{
    ssize_t n;

    if (conn->tls != NULL) {
        n = hl_tls_stream_write(conn->tls, data, size);
        if (n > 0)
            return n;
        return n == HL_TLS_WANT_WRITE ? IO_AGAIN : IO_FAILED;
    }
    do {
        n = send(conn->fd, data, size, MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    if (n >= 0)
        return n;
    return errno == EAGAIN || errno == EWOULDBLOCK ? IO_AGAIN : IO_FAILED;
}

/* Sends from the front of `data`; returns what is left. */
static struct hl_bytes send_now(struct hl_conn *conn, struct hl_bytes data)
{
    size_t before = data.size;

    while (data.size > 0) {
        ssize_t n = write_some(conn, data.data, data.size);

        conn->is_broken = n == IO_FAILED;
        if (n <= 0)
            break;
        data.data += n;
        data.size -= (size_t)n;
    }
    hl_limits_count(conn->wire->config.shared, HL_COUNT_BYTES_OUT, before - data.size);
    return data;
}

static void end_output(struct hl_conn *conn)
{
    if (conn->tls != NULL)
        hl_tls_stream_shutdown(conn->tls);
    (void)shutdown(conn->fd, SHUT_WR);
    if (conn->is_eof || !conn->lingers) {
        hl_conn_close(conn);
        return;
    }
    hl_conn_set_due(conn, HL_DUE_LINGER);
}

static void flush_out(struct hl_conn *conn)
{
    struct hl_bytes left = {.data = conn->out.data + conn->out_sent,
                            .size = conn->out.size - conn->out_sent};
    size_t before = left.size;

    left = send_now(conn, left);
    if (conn->is_broken) {
        hl_conn_close(conn);
        return;
    }
    conn->out_sent = conn->out.size - left.size;
    if (left.size > 0) {
        if (left.size < before) /* progress: the peer has its time again */
            hl_conn_set_due(conn, HL_DUE_STALL);
        return;
    }
    conn->out_sent = 0;
    release_buffer(&conn->out);
    hl_conn_set_due(conn, HL_DUE_NONE);
    if (conn->phase == HL_CONN_FINISHING)
        end_output(conn);
    else
        conn->ops->drained(conn);
}

void hl_conn_write(struct hl_conn *conn, struct hl_bytes data)
{
    if (conn->phase != HL_CONN_OPEN || conn->is_broken)
        return;
    if (hl_conn_is_drained(conn)) {
        data = send_now(conn, data);
        if (data.size == 0)
            return;
        hl_conn_set_due(conn, HL_DUE_STALL);
    }
    hl_buffer_append_bytes(&conn->out, data);
    conn->is_broken |= hl_buffer_failed(&conn->out);
    if (conn->is_broken)
        hl_conn_resume_later(conn); /* closed there, not under the writer's feet */
    update_events(conn);
}

void hl_conn_finish(struct hl_conn *conn, bool lingers)
{
    if (conn->phase == HL_CONN_CLOSED || conn->phase == HL_CONN_FINISHING)
        return;
    if (conn->is_broken) {
        hl_conn_close(conn);
        return;
    }
    conn->phase = HL_CONN_FINISHING;
    conn->lingers = lingers;
    hl_buffer_fini(&conn->in);
    conn->wants_input = true;
    if (hl_conn_is_drained(conn))
        end_output(conn);
    update_events(conn);
}

/* -- input -- */

/* Bytes read, 0 at the peer's end, IO_AGAIN, IO_FAILED. */
static ssize_t read_some(struct hl_conn *conn, size_t size)
{
    ssize_t n;

    conn->wants_writable = false;
    if (conn->tls != NULL) {
        n = hl_tls_stream_read(conn->tls, conn->wire->scratch, size);
        conn->wants_writable = n == HL_TLS_WANT_WRITE;
        if (n >= 0)
            return n;
        return n == HL_TLS_FAILED ? IO_FAILED : IO_AGAIN;
    }
    do {
        n = recv(conn->fd, conn->wire->scratch, size, 0);
    } while (n < 0 && errno == EINTR);
    if (n >= 0)
        return n;
    return errno == EAGAIN || errno == EWOULDBLOCK ? IO_AGAIN : IO_FAILED;
}

static void discard_input(struct hl_conn *conn)
{
    ssize_t n = read_some(conn, HL_WIRE_SCRATCH_SIZE);

    if (n > 0)
        conn->discarded += (size_t)n;
    if (n == 0)
        conn->is_eof = true;
    if (n == IO_FAILED || conn->discarded > LINGER_BYTES_MAX ||
        (conn->is_eof && hl_conn_is_drained(conn)))
        hl_conn_close(conn);
}

static void read_input(struct hl_conn *conn)
{
    size_t room = conn->in.size_max - conn->in.size;
    ssize_t n = IO_AGAIN;

    if (room > HL_WIRE_SCRATCH_SIZE)
        room = HL_WIRE_SCRATCH_SIZE;
    if (room > 0)
        n = read_some(conn, room);
    if (n == IO_AGAIN)
        return;
    if (n == IO_FAILED) {
        hl_conn_close(conn);
        return;
    }
    if (n == 0)
        conn->is_eof = true;
    hl_limits_count(conn->wire->config.shared, HL_COUNT_BYTES_IN, (uint64_t)n);
    hl_buffer_append(&conn->in, conn->wire->scratch, (size_t)n);
    if (hl_buffer_failed(&conn->in)) { /* no memory: there was room */
        hl_conn_close(conn);
        return;
    }
    conn->ops->input(conn);
    /* bytes TLS still holds cause no event: come back for them */
    if (n > 0 && conn->phase == HL_CONN_OPEN && conn->wants_input && conn->tls != NULL &&
        hl_tls_stream_has_pending(conn->tls))
        hl_conn_resume_later(conn);
}

void hl_conn_consume(struct hl_conn *conn, size_t size)
{
    HL_CHECK(size <= conn->in.size);
    conn->in.size -= size;
    if (conn->in.size > 0) {
        memmove(conn->in.data, conn->in.data + size, conn->in.size);
        return;
    }
    release_buffer(&conn->in);
}

static void continue_handshake(struct hl_conn *conn)
{
    int r = hl_tls_stream_handshake(conn->tls);

    conn->wants_writable = r == HL_TLS_WANT_WRITE;
    if (r == 0) {
        conn->phase = HL_CONN_OPEN;
        hl_conn_resume_later(conn);
    } else if (r == HL_TLS_FAILED) {
        hl_limits_count(conn->wire->config.shared, HL_COUNT_TLS_ERRORS, 1);
        hl_conn_close(conn);
    }
}

/* Whatever can be done now on the reading side. */
static void serve_input(struct hl_conn *conn)
{
    if (conn->phase == HL_CONN_HANDSHAKE)
        continue_handshake(conn);
    else if (conn->phase == HL_CONN_FINISHING)
        discard_input(conn);
    else if (conn->phase == HL_CONN_OPEN && conn->wants_input)
        read_input(conn);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct hl_conn *conn = poll->data;

    if (status < 0) {
        hl_conn_close(conn);
        return;
    }
    if ((events & UV_DISCONNECT) != 0 && (conn->events & UV_DISCONNECT) != 0) {
        conn->is_eof = true;
        conn->ops->input(conn);
    }
    if ((events & UV_WRITABLE) != 0 && conn->phase != HL_CONN_CLOSED && !hl_conn_is_drained(conn))
        flush_out(conn);
    if ((events & UV_READABLE) != 0 || ((events & UV_WRITABLE) != 0 && conn->wants_writable))
        serve_input(conn);
    update_events(conn);
}

void hl_conn_resume(struct hl_conn *conn)
{
    if (conn->is_broken) {
        hl_conn_close(conn);
        return;
    }
    if (conn->phase == HL_CONN_OPEN && conn->wants_input && conn->in.size > 0)
        conn->ops->input(conn);
    if (conn->tls != NULL)
        serve_input(conn);
    update_events(conn);
}
