#include "gateway/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/event.h"
#include "base/result.h"
#include "gateway/conn.h"
#include "gateway/http.h"

enum {
    BACKLOG = 4096,
    ACCEPTS_PER_WAKE = 64,
    SEND_BUFFER = 131072 /* what one reader that stalls may hold of the system's memory */
};

struct hl_listener {
    struct hl_wire *wire;
    uv_poll_t poll;
    int fd;
    int reserve_fd; /* given up for a moment when descriptors run out; -1: none */
    bool is_warned; /* the log is told once per shortage */
};

/* -- the socket -- */

/* "HOST:PORT" or "[V6]:PORT"; false if it is neither. */
static bool split_address(const char *address, char *host, size_t host_size, const char **out_port)
{
    const char *colon = strrchr(address, ':');
    size_t size;

    if (colon == NULL || colon[1] == '\0')
        return false;
    size = (size_t)(colon - address);
    if (size >= 2 && address[0] == '[' && address[size - 1] == ']') {
        address++;
        size -= 2;
    } else if (memchr(address, ':', size) != NULL) {
        return false;
    }
    if (size >= host_size)
        return false;
    memcpy(host, address, size);
    host[size] = '\0';
    *out_port = colon + 1;
    return true;
}

/* SO_REUSEPORT would let a second gateway take half of the first one's connections: before
 * the first of our own sockets the port must be free for one without it. */
static int check_free(const struct addrinfo *info)
{
    int one = 1;
    int r = 0;
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
        bind(fd, info->ai_addr, info->ai_addrlen) != 0)
        r = -errno;
    (void)close(fd);
    return r;
}

static int bind_socket(const struct addrinfo *info, uint16_t *out_port)
{
    int one = 1;
    int zero = 0;
    int send_buffer = SEND_BUFFER;
    struct sockaddr_storage real = {0};
    socklen_t size = sizeof(real);
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    if (info->ai_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof(send_buffer)); /* inherited */
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) != 0 ||
        bind(fd, info->ai_addr, info->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&real, &size) != 0) {
        int r = -errno;

        (void)close(fd);
        return r;
    }
    *out_port = real.ss_family == AF_INET6
                    ? ntohs(((struct sockaddr_in6 *)(void *)&real)->sin6_port)
                    : ntohs(((struct sockaddr_in *)(void *)&real)->sin_port);
    return fd;
}

int hl_listen_socket(const char *address, bool is_joining, uint16_t *out_port, char *why,
                     size_t why_size)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *infos = NULL;
    const char *port = NULL;
    char host[256];
    int fd = -EADDRNOTAVAIL;
    int r;

    if (!split_address(address, host, sizeof(host), &port)) {
        (void)snprintf(why, why_size, "\"%s\" is not HOST:PORT or [V6]:PORT", address);
        return -EINVAL;
    }
    r = getaddrinfo(host[0] != '\0' ? host : NULL, port, &hints, &infos);
    if (r != 0) {
        (void)snprintf(why, why_size, "\"%s\": %s", address, gai_strerror(r));
        return -EINVAL;
    }
    for (const struct addrinfo *info = infos; info != NULL && fd < 0; info = info->ai_next) {
        fd = is_joining ? 0 : check_free(info);
        if (fd == 0)
            fd = bind_socket(info, out_port);
    }
    freeaddrinfo(infos);
    if (fd < 0)
        (void)snprintf(why, why_size, "cannot listen on %s: %s", address, strerror(-fd));
    return fd;
}

/* -- refusing at the door -- */

/* A plain client gets a short answer as far as the socket takes it at once; it is not worth
 * more. A TLS client is let go before the costly handshake. */
static void refuse_socket(struct hl_listener *listener, int fd, enum hl_problem_code code)
{
    struct hl_wire *wire = listener->wire;
    const struct hl_problem_kind *kind = hl_problem_kind(code);
    struct hl_problem problem = {
        .code = code, .retry_ms = 5000, .detail = hl_bytes_of("Come back later.")};
    char request_id[HL_ID_TEXT_SIZE];
    struct hl_buffer body;
    char head[256];
    int n;

    if (wire->tls == NULL) {
        hl_http_make_request_id(request_id);
        problem.request_id = hl_bytes_of(request_id);
        hl_buffer_init(&body, 2048);
        hl_problem_append(&body, &problem);
        n = snprintf(head, sizeof(head),
                     "HTTP/1.1 %d %s\r\ncontent-type: application/problem+json\r\n"
                     "content-length: %zu\r\nretry-after: 5\r\ncache-control: no-store\r\n"
                     "connection: close\r\n\r\n",
                     kind->status, kind->code, body.size);
        HL_CHECK(n > 0 && (size_t)n < sizeof(head));
        if (send(fd, head, (size_t)n, MSG_NOSIGNAL | MSG_MORE) == n)
            (void)send(fd, body.data, body.size, MSG_NOSIGNAL);
        (void)shutdown(fd, SHUT_WR);
        /* unread bytes would turn the close into a reset that may overtake the answer */
        (void)recv(fd, wire->scratch, sizeof(wire->scratch), 0);
        hl_buffer_fini(&body);
    }
    (void)close(fd);
}

/* No descriptor is left for a connection that waits: it would stay in the queue and wake us
 * for ever. The reserve is given up to take and drop it. */
static void shed_connection(struct hl_listener *listener)
{
    int fd;

    if (!listener->is_warned)
        hl_event(HL_EVENT_ERROR, "wire.no_descriptors",
                 HL_TEXT("advice", "raise the open file limit"));
    listener->is_warned = true;
    hl_limits_count(listener->wire->config.shared, HL_COUNT_REFUSED_TOTAL, 1);
    if (listener->reserve_fd >= 0)
        (void)close(listener->reserve_fd);
    fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0)
        refuse_socket(listener, fd, HL_PROBLEM_BUSY);
    listener->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void admit_socket(struct hl_listener *listener, int fd, const struct sockaddr *address)
{
    struct hl_wire *wire = listener->wire;
    struct hl_limits_key key = hl_limits_key_of(address);

    struct in6_addr peer = hl_forwarded_peer(address);
    bool is_proxy = hl_networks_has(&wire->proxies, &peer);

    switch (hl_limits_admit(wire->config.shared, &key, is_proxy, hl_wire_now_ms(wire))) {
    case HL_ADMITTED:
        (void)hl_http_open(wire, fd, address, &key);
        break;
    case HL_ADMISSION_ADDRESS:
        refuse_socket(listener, fd, HL_PROBLEM_TOO_MANY);
        break;
    case HL_ADMISSION_TOTAL:
    case HL_ADMISSION_RATE:
        refuse_socket(listener, fd, HL_PROBLEM_BUSY);
        break;
    }
}

static void on_acceptable(uv_poll_t *poll, int status, int events)
{
    struct hl_listener *listener = poll->data;

    (void)events;
    if (status < 0)
        return;
    for (int i = 0; i < ACCEPTS_PER_WAKE; i++) {
        struct sockaddr_storage address = {0};
        socklen_t size = sizeof(address);
        int fd =
            accept4(listener->fd, (struct sockaddr *)&address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0) {
            listener->is_warned = false;
            admit_socket(listener, fd, (struct sockaddr *)&address);
        } else if (errno == EMFILE || errno == ENFILE) {
            shed_connection(listener);
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return; /* EAGAIN: the queue is empty; others pass or come again */
        }
    }
}

/* -- life -- */

int hl_listener_create(struct hl_wire *wire, struct hl_listener **out_listener)
{
    struct hl_listener *listener = calloc(1, sizeof(*listener));

    if (listener == NULL)
        return -ENOMEM;
    listener->wire = wire;
    listener->fd = wire->config.listen_fd;
    if (uv_poll_init(wire->uv, &listener->poll, listener->fd) != 0) {
        free(listener);
        return -EINVAL;
    }
    listener->poll.data = listener;
    listener->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    (void)uv_poll_start(&listener->poll, UV_READABLE, on_acceptable);
    wire->n_handles++;
    *out_listener = listener;
    return 0;
}

static void free_listener(uv_handle_t *handle)
{
    struct hl_listener *listener = handle->data;
    struct hl_wire *wire = listener->wire;

    free(listener);
    wire->n_handles--;
    hl_wire_check_closed(wire);
}

void hl_listener_destroy(struct hl_listener *listener)
{
    if (listener == NULL)
        return;
    on_acceptable(&listener->poll, 0, UV_READABLE); /* who waits already would be reset */
    uv_close((uv_handle_t *)&listener->poll, free_listener);
    (void)close(listener->fd);
    if (listener->reserve_fd >= 0)
        (void)close(listener->reserve_fd);
}
