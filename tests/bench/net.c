#include "tests/bench/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SCRATCH_SIZE = 1 << 18, EVENTS_MAX = 512, FRAME_HEAD_MAX = 14, IN_SIZE_MAX = 1 << 26 };

int net_init(struct net *net)
{
    memset(net, 0, sizeof *net);
    net->random = 2463534242U;
    net->scratch = malloc(SCRATCH_SIZE);
    net->epoll = epoll_create1(EPOLL_CLOEXEC);
    return net->scratch == NULL || net->epoll < 0 ? -errno : 0;
}

void net_fini(struct net *net)
{
    close(net->epoll);
    free(net->scratch);
}

static void watch(struct net_conn *conn, int operation)
{
    struct epoll_event event = {.data.ptr = conn};
    if (!conn->is_stalled)
        event.events |= EPOLLIN;
    if (conn->wants_write)
        event.events |= EPOLLOUT;
    epoll_ctl(conn->net->epoll, operation, conn->fd, &event);
}

static void append(char **buffer, size_t *size, size_t *capacity, const char *data, size_t n)
{
    if (*size + n > *capacity) {
        *capacity = (*size + n) * 2;
        *buffer = realloc(*buffer, *capacity);
        if (*buffer == NULL || *capacity > IN_SIZE_MAX) {
            fputs("a connection's buffer grew out of bounds\n", stderr);
            exit(2);
        }
    }
    memcpy(*buffer + *size, data, n);
    *size += n;
}

static void forget(char **buffer, size_t *size, size_t *capacity)
{
    free(*buffer);
    *buffer = NULL;
    *size = *capacity = 0;
}

void net_close(struct net_conn *conn)
{
    if (conn->state == NET_CLOSED)
        return;
    close(conn->fd);
    conn->fd = -1;
    conn->state = NET_CLOSED;
    conn->wants_write = false;
    conn->in_size = conn->out_size = conn->out_sent = 0;
}

void net_drop(struct net_conn *conn)
{
    net_close(conn);
    forget(&conn->in, &conn->in_size, &conn->in_capacity);
    forget(&conn->out, &conn->out_size, &conn->out_capacity);
}

static void fail(struct net_conn *conn)
{
    net_close(conn);
    conn->handler->closed(conn);
}

void net_stall(struct net_conn *conn)
{
    conn->is_stalled = true;
    watch(conn, EPOLL_CTL_MOD);
}

/* Errors surface as an event on the socket, never inside a caller's send. */
static void send_bytes(struct net_conn *conn, const char *data, size_t size)
{
    size_t sent = 0;
    if (conn->out_size == 0) {
        ssize_t n = send(conn->fd, data, size, MSG_NOSIGNAL);
        sent = n > 0 ? (size_t)n : 0;
    }
    if (sent == size)
        return;
    append(&conn->out, &conn->out_size, &conn->out_capacity, data + sent, size - sent);
    if (!conn->wants_write) {
        conn->wants_write = true;
        watch(conn, EPOLL_CTL_MOD);
    }
}

static void flush(struct net_conn *conn)
{
    ssize_t n =
        send(conn->fd, conn->out + conn->out_sent, conn->out_size - conn->out_sent, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN) {
        fail(conn);
        return;
    }
    conn->out_sent += n > 0 ? (size_t)n : 0;
    if (conn->out_sent < conn->out_size)
        return;
    forget(&conn->out, &conn->out_size, &conn->out_capacity);
    conn->out_sent = 0;
    conn->wants_write = false;
    watch(conn, EPOLL_CTL_MOD);
}

static uint32_t next_random(struct net *net)
{
    net->random ^= net->random << 13;
    net->random ^= net->random >> 17;
    net->random ^= net->random << 5;
    return net->random;
}

static void send_frame(struct net_conn *conn, unsigned char opcode, const char *data, size_t size)
{
    unsigned char small[1024];
    unsigned char *frame =
        size + FRAME_HEAD_MAX <= sizeof small ? small : malloc(size + FRAME_HEAD_MAX);
    if (frame == NULL)
        abort();
    size_t head = 2;
    frame[0] = 0x80 | opcode;
    if (size < 126) {
        frame[1] = (unsigned char)(0x80 | size);
    } else if (size < 65536) {
        frame[1] = 0x80 | 126;
        frame[2] = (unsigned char)(size >> 8);
        frame[3] = (unsigned char)size;
        head = 4;
    } else {
        frame[1] = 0x80 | 127;
        for (int i = 0; i < 8; i++)
            frame[2 + i] = (unsigned char)(size >> (8 * (7 - i)));
        head = 10;
    }
    uint32_t mask = next_random(conn->net);
    memcpy(frame + head, &mask, 4);
    for (size_t i = 0; i < size; i++)
        frame[head + 4 + i] = (unsigned char)data[i] ^ frame[head + (i & 3)];
    send_bytes(conn, (char *)frame, head + 4 + size);
    if (frame != small)
        free(frame);
}

void net_send(struct net_conn *conn, const char *data, size_t size)
{
    if (conn->state != NET_OPEN)
        return;
    if (conn->kind == NET_RAW)
        send_bytes(conn, data, size);
    else
        send_frame(conn, 1, data, size);
}

void net_request(struct net_conn *conn, const char *method, const char *path, const char *headers,
                 const char *body, size_t size)
{
    char head[2048];
    int n = snprintf(head, sizeof head,
                     "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %zu\r\n%s\r\n", method,
                     path, size, headers);
    if (conn->state != NET_OPEN || n < 0 || (size_t)n >= sizeof head)
        return;
    char *request = malloc((size_t)n + size);
    if (request == NULL)
        abort();
    memcpy(request, head, (size_t)n);
    memcpy(request + n, body, size);
    send_bytes(conn, request, (size_t)n + size);
    free(request);
}

int net_connect(struct net *net, struct net_conn *conn, enum net_kind kind, uint16_t port,
                const char *path, const struct net_handler *handler, void *owner)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int yes = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0 && errno != EINPROGRESS) {
        int r = -errno;
        close(fd);
        return r;
    }
    conn->net = net;
    conn->handler = handler;
    conn->owner = owner;
    conn->fd = fd;
    conn->kind = kind;
    conn->state = NET_CONNECTING;
    conn->in_size = conn->out_size = conn->out_sent = 0;
    conn->wants_write = true;
    watch(conn, EPOLL_CTL_ADD);
    if (kind == NET_WS) {
        char upgrade[512];
        int n = snprintf(upgrade, sizeof upgrade,
                         "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
                         "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: holdline.v1\r\n\r\n",
                         path);
        append(&conn->out, &conn->out_size, &conn->out_capacity, upgrade, (size_t)n);
    }
    return 0;
}

/* -- reading: each returns how many bytes it used, 0 if more must come -- */

static size_t take_frame(struct net_conn *conn, const char *data, size_t size)
{
    const unsigned char *p = (const unsigned char *)data;
    if (size < 2)
        return 0;
    size_t length = p[1] & 0x7f, head = length == 126 ? 4 : length == 127 ? 10 : 2;
    if (size < head)
        return 0;
    if (length == 126)
        length = (size_t)p[2] << 8 | p[3];
    if (length == 127) {
        length = 0;
        for (int i = 2; i < 10; i++)
            length = length << 8 | p[i];
    }
    if (size < head + length)
        return 0;
    unsigned opcode = p[0] & 0x0f;
    if (opcode == 1)
        conn->handler->received(conn, data + head, length);
    else if (opcode == 9)
        send_frame(conn, 10, data + head, length);
    return head + length; /* a close frame is followed by the end of the connection */
}

static const char *find_header(const char *head, const char *end, const char *name)
{
    size_t size = strlen(name);
    for (const char *line = memchr(head, '\n', (size_t)(end - head)); line != NULL;
         line = memchr(line, '\n', (size_t)(end - line))) {
        line++;
        if ((size_t)(end - line) > size && strncasecmp(line, name, size) == 0 && line[size] == ':')
            return line + size + 1;
    }
    return NULL;
}

static size_t take_answer(struct net_conn *conn, const char *data, size_t size)
{
    const char *end = memmem(data, size, "\r\n\r\n", 4);
    if (end == NULL || size < 12)
        return 0;
    size_t head = (size_t)(end - data) + 4;
    conn->status = (data[9] - '0') * 100 + (data[10] - '0') * 10 + (data[11] - '0');
    if (conn->state == NET_UPGRADING) {
        if (conn->status != 101)
            return SIZE_MAX;
        conn->state = NET_OPEN;
        conn->handler->opened(conn);
        return head;
    }
    const char *length_text = find_header(data, end + 2, "content-length");
    size_t length = length_text == NULL ? 0 : strtoul(length_text, NULL, 10);
    if (size < head + length)
        return 0;
    conn->handler->received(conn, data + head, length);
    return head + length;
}

static size_t take(struct net_conn *conn, const char *data, size_t size)
{
    if (conn->state == NET_UPGRADING || conn->kind == NET_HTTP)
        return take_answer(conn, data, size);
    return conn->kind == NET_WS ? take_frame(conn, data, size)
                                : conn->handler->received(conn, data, size);
}

/* Takes what is complete; the handlers may close or reconnect in between. */
static void take_all(struct net_conn *conn, const char *data, size_t size)
{
    size_t used = 0;
    int fd = conn->fd;
    while (used < size) {
        size_t n = take(conn, data + used, size - used);
        if (conn->fd != fd || conn->state == NET_CLOSED)
            return;
        if (n == SIZE_MAX) {
            fail(conn);
            return;
        }
        if (n == 0)
            break;
        used += n;
    }
    if (data == conn->in) {
        memmove(conn->in, conn->in + used, size - used);
        conn->in_size = size - used;
    } else if (used < size) {
        append(&conn->in, &conn->in_size, &conn->in_capacity, data + used, size - used);
    }
    if (conn->in_size == 0 && conn->in != NULL)
        forget(&conn->in, &conn->in_size, &conn->in_capacity);
}

static void read_conn(struct net_conn *conn)
{
    char *scratch = conn->net->scratch;
    ssize_t n = recv(conn->fd, scratch, SCRATCH_SIZE, 0);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        fail(conn);
        return;
    }
    conn->bytes_in += (uint64_t)n;
    if (conn->in_size == 0) {
        take_all(conn, scratch, (size_t)n);
        return;
    }
    append(&conn->in, &conn->in_size, &conn->in_capacity, scratch, (size_t)n);
    take_all(conn, conn->in, conn->in_size);
}

static void finish_connect(struct net_conn *conn)
{
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) {
        fail(conn);
        return;
    }
    conn->state = conn->kind == NET_WS ? NET_UPGRADING : NET_OPEN;
    conn->wants_write = conn->out_size > 0;
    watch(conn, EPOLL_CTL_MOD);
    if (conn->state == NET_OPEN)
        conn->handler->opened(conn);
}

static void handle(struct net_conn *conn, uint32_t events)
{
    int fd = conn->fd;
    if (conn->state == NET_CLOSED)
        return;
    if (conn->state == NET_CONNECTING) {
        finish_connect(conn);
        return;
    }
    if ((events & EPOLLOUT) != 0 && conn->out_size > 0)
        flush(conn);
    if (conn->fd == fd && conn->state != NET_CLOSED &&
        (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
        read_conn(conn);
}

void net_step(struct net *net, uint64_t timeout_us)
{
    struct epoll_event events[EVENTS_MAX];
    struct timespec timeout = {.tv_sec = (time_t)(timeout_us / 1000000),
                               .tv_nsec = (long)(timeout_us % 1000000) * 1000};
    int n = epoll_pwait2(net->epoll, events, EVENTS_MAX, &timeout, NULL);
    for (int i = 0; i < n; i++)
        handle(events[i].data.ptr, events[i].events);
}
