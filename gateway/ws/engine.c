/* libwebsockets itself: its context, its callbacks, and the handing over of sockets to it.
 * Thread: the loop's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <libwebsockets.h>

#include "base/check.h"
#include "base/event.h"
#include "base/result.h"
#include "gateway/tunnel.h"
#include "gateway/ws/events.h"
#include "gateway/ws/state.h"

enum {
    RX_BUFFER_SIZE = 512,       /* held by each connection */
    TX_PACKET_MAX = 1 << 20,    /* one send() where possible */
    CLOSE_MS = 3000,            /* the peer's answer to our close */
    PACKED_EXCESS = 256,        /* what deflate may add to a message it cannot shorten */
    PACKED_BYTES_MAX = 1 << 20, /* longer messages go out as they are */
    RSV1 = 0x40,                /* "compressed", in a frame's first byte */
    HEADER_POOL = 64,
    HEADER_BYTES = 1024,
    SPARE_DESCRIPTORS = 1024,
    TEARDOWN_TURNS = 4 /* of the loop, after which all closed handles were called back */
};

/* The new socket is known to libwebsockets: from here on it tells of its end. */
static void bind_socket(struct hl_ws_engine *engine, struct lws *wsi)
{
    struct hl_ws *ws = engine->adopting;

    HL_CHECK(ws != NULL);
    engine->adopting = NULL;
    engine->n_sockets++;
    ws->wsi = wsi;
    lws_set_opaque_user_data(wsi, ws);
}

static void unbind_socket(struct hl_ws_engine *engine, struct hl_ws *ws)
{
    hl_ws_leave(ws);
    hl_ws_free(ws);
    HL_CHECK(engine->n_sockets > 0);
    engine->n_sockets--;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t size)
{
    struct hl_ws *ws = wsi != NULL ? lws_get_opaque_user_data(wsi) : NULL;
    struct hl_bytes data = {.data = in, .size = size};

    (void)user;
    if (reason == LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED)
        bind_socket(lws_context_user(lws_get_context(wsi)), wsi);
    if (ws == NULL)
        return 0;
    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED:
        return hl_ws_established(ws);
    case LWS_CALLBACK_RECEIVE:
        return hl_ws_receive(ws, data);
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return hl_ws_writeable(ws);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        return hl_ws_peer_closes(ws, data);
    case LWS_CALLBACK_CLOSED:
        ws->wsi = NULL;
        hl_ws_leave(ws);
        return 0;
    case LWS_CALLBACK_WSI_DESTROY:
        unbind_socket(ws->engine, ws);
        return 0;
    default:
        return 0;
    }
}

/* -- handing a connection over -- */

/* What it keeps of the handshake: the origin, and for a feed all of it. */
static bool keep_request(struct hl_ws *ws, const struct hl_conn *conn,
                         const struct hl_gate_upgrade *upgrade, const struct hl_link *link)
{
    if (link->origin.size > 0)
        ws->origin = strndup(link->origin.data, link->origin.size);
    if (upgrade->offers_events)
        ws->events = hl_ws_events_create(ws, hl_buffer_bytes(&conn->in));
    return (link->origin.size == 0 || ws->origin != NULL) &&
           (!upgrade->offers_events || ws->events != NULL);
}

static struct hl_ws *create_ws(struct hl_ws_engine *engine, const struct hl_conn *conn,
                               const struct hl_gate_upgrade *upgrade, const struct hl_link *link)
{
    struct hl_ws *ws = calloc(1, sizeof(*ws));

    if (ws == NULL)
        return NULL;
    ws->engine = engine;
    (void)snprintf(ws->address, sizeof(ws->address), "%.*s", (int)link->address.size,
                   link->address.data);
    if (!keep_request(ws, conn, upgrade, link)) {
        hl_ws_free(ws);
        return NULL;
    }
    ws->link.origin = hl_bytes_of(ws->origin != NULL ? ws->origin : "");
    ws->link.is_same_host = link->is_same_host;
    ws->is_echo = upgrade->offers_echo;
    ws->has_deflate = upgrade->offers_deflate;
    hl_list_init(&ws->queue);
    hl_buffer_init(&ws->in, hl_ws_message_max(ws) + hl_ws_message_max(ws) / 1024 + PACKED_EXCESS);
    return ws;
}

/* The only HTTP libwebsockets ever reads. Compression without context on both sides keeps
 * nothing between messages. */
static const char *protocol_of(const struct hl_ws *ws)
{
    if (ws->events != NULL)
        return "holdline.events.v1";
    return ws->is_echo ? "holdline.echo" : "holdline.v1";
}

static size_t write_handshake(const struct hl_ws *ws, const struct hl_gate_upgrade *upgrade,
                              char *out, size_t out_size)
{
    int n = snprintf(out, out_size,
                     "GET / HTTP/1.1\r\nHost: holdline\r\nUpgrade: websocket\r\n"
                     "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Key: %.*s\r\nSec-WebSocket-Protocol: %s\r\n%s\r\n",
                     (int)upgrade->key.size, upgrade->key.data, protocol_of(ws),
                     ws->has_deflate ? "Sec-WebSocket-Extensions: permessage-deflate; "
                                       "server_no_context_takeover; client_no_context_takeover\r\n"
                                     : "");

    HL_CHECK(n > 0 && (size_t)n < out_size);
    return (size_t)n;
}

int hl_ws_start(struct hl_conn *conn, const struct hl_gate_upgrade *upgrade,
                const struct hl_link *link)
{
    struct hl_ws_engine *engine = conn->wire->engine;
    struct hl_ws *ws = create_ws(engine, conn, upgrade, link);
    char handshake[512];
    size_t size;
    int fd;

    if (ws == NULL)
        return -ENOMEM;
    size = write_handshake(ws, upgrade, handshake, sizeof(handshake));
    if (conn->tls != NULL) {
        int r = hl_tunnel_start(conn, &fd);

        if (r != 0) {
            hl_ws_leave(ws);
            hl_ws_free(ws);
            return r;
        }
    } else {
        ws->key = conn->key;
        ws->is_counted = true;
        fd = hl_conn_take_fd(conn);
    }
    engine->adopting = ws;
    /* closes fd if it fails */
    (void)lws_adopt_socket_vhost_readbuf(engine->vhost, fd, handshake, size);
    if (engine->adopting != NULL) { /* it failed before the socket was bound */
        engine->adopting = NULL;
        hl_ws_leave(ws);
        hl_ws_free(ws);
    }
    return 0;
}

/* -- deadlines -- */

void hl_ws_check_due(struct hl_ws_engine *engine)
{
    uint64_t now_ms = hl_wire_now_ms(engine->wire);

    while (!hl_list_is_empty(&engine->stalled)) {
        struct hl_ws *ws = HL_CONTAINER_OF(engine->stalled.next, struct hl_ws, stall_link);

        if (now_ms - ws->stalled_at_ms < engine->wire->limits.write_stall_ms)
            break;
        hl_list_remove(&ws->stall_link);
        hl_limits_count(engine->wire->config.shared, HL_COUNT_TIMEOUTS, 1);
        hl_ws_kill(ws);
    }
    while (!hl_list_is_empty(&engine->closing)) {
        struct hl_ws *ws = HL_CONTAINER_OF(engine->closing.next, struct hl_ws, close_link);

        if (now_ms - ws->close_at_ms < CLOSE_MS)
            break;
        hl_list_remove(&ws->close_link);
        hl_ws_kill(ws);
    }
}

/* -- the engine -- */

static void log_line(int level, const char *line)
{
    (void)level;
    hl_event(HL_EVENT_DEBUG, "libwebsockets",
             HL_BYTES("line", ((struct hl_bytes){line, strcspn(line, "\n")})));
}

static const struct lws_protocols protocols[] = {
    {.name = "holdline.v1",
     .callback = on_event,
     .rx_buffer_size = RX_BUFFER_SIZE,
     .tx_packet_size = TX_PACKET_MAX},
    {.name = "holdline.events.v1",
     .callback = on_event,
     .rx_buffer_size = RX_BUFFER_SIZE,
     .tx_packet_size = TX_PACKET_MAX},
    {.name = "holdline.echo",
     .callback = on_event,
     .rx_buffer_size = RX_BUFFER_SIZE,
     .tx_packet_size = TX_PACKET_MAX},
    {.name = NULL},
};

/* permessage-deflate with our own codec: libwebsockets negotiates it, and carries the
 * compressed messages as they are; here only RSV1 is set on those we compressed. Its own codec
 * (4.1.6) cuts off messages that expand well and runs into asserts of its own. */
static int on_extension(struct lws_context *context, const struct lws_extension *extension,
                        struct lws *wsi, enum lws_extension_callback_reasons reason, void *user,
                        void *in, size_t size)
{
    static const struct lws_ext_options options[] = {
        {"server_no_context_takeover", EXTARG_NONE},
        {"client_no_context_takeover", EXTARG_NONE},
        {NULL, EXTARG_NONE},
    };
    const struct hl_ws *ws;

    (void)context;
    (void)extension;
    (void)user;
    (void)size;
    if (reason == LWS_EXT_CB_CONSTRUCT && in != NULL)
        *(const struct lws_ext_options **)in = options;
    if (reason != LWS_EXT_CB_PACKET_TX_PRESEND || in == NULL)
        return 0;
    ws = lws_get_opaque_user_data(wsi);
    if (ws != NULL && ws->sends_rsv1) {
        struct lws_tokens *frame = in;

        frame->token[0] = (unsigned char)(frame->token[0] | RSV1);
    }
    return 0;
}

static const struct lws_extension extensions[] = {
    {.name = "permessage-deflate", .callback = on_extension, .client_offer = "permessage-deflate"},
    {.name = NULL},
};

/* Heartbeats are the core's: libwebsockets' own would cost a sorted list of all
 * connections. */
static const lws_retry_bo_t no_heartbeat = {.secs_since_valid_ping = 0,
                                            .secs_since_valid_hangup = 0};

/* libwebsockets keeps tables as long as the open file limit, and touches them all; where the
 * limit is far above what we may use it is lowered for the moment of creation. */
static struct lws_context *create_context(struct hl_wire *wire,
                                          struct lws_context_creation_info *info)
{
    struct rlimit real = {0};
    struct rlimit wanted;
    struct lws_context *context;
    /* a TLS connection has three descriptors */
    rlim_t enough =
        (rlim_t)wire->limits.connections_max * (wire->tls != NULL ? 3 : 1) + SPARE_DESCRIPTORS;

    (void)getrlimit(RLIMIT_NOFILE, &real);
    wanted = real;
    if (wanted.rlim_cur > enough)
        wanted.rlim_cur = enough;
    (void)setrlimit(RLIMIT_NOFILE, &wanted);
    context = lws_create_context(info);
    (void)setrlimit(RLIMIT_NOFILE, &real);
    return context;
}

static void free_engine(struct hl_ws_engine *engine)
{
    hl_deflate_destroy(engine->codec);
    hl_buffer_fini(&engine->packed);
    hl_buffer_fini(&engine->unpacked);
    free(engine);
}

int hl_ws_engine_create(struct hl_wire *wire, char *why, size_t why_size,
                        struct hl_ws_engine **out_engine)
{
    struct hl_ws_engine *engine = calloc(1, sizeof(*engine));
    void *loops[1] = {wire->uv};
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
        .protocols = protocols,
        .extensions = extensions,
        .foreign_loops = loops,
        .count_threads = 1,
        .max_http_header_pool = HEADER_POOL,
        .max_http_header_data = HEADER_BYTES,
        .retry_and_idle_policy = &no_heartbeat,
        .user = engine,
    };

    if (engine == NULL)
        return -ENOMEM;
    if (hl_deflate_create(&engine->codec) != 0) {
        free(engine);
        return -ENOMEM;
    }
    engine->wire = wire;
    hl_buffer_init(&engine->packed, PACKED_BYTES_MAX);
    hl_list_init(&engine->stalled);
    hl_list_init(&engine->closing);
    lws_set_log_level(hl_event_enabled(HL_EVENT_DEBUG) ? LLL_ERR | LLL_WARN | LLL_NOTICE : 0,
                      log_line);
    engine->context = create_context(wire, &info);
    if (engine->context != NULL)
        engine->vhost = lws_create_vhost(engine->context, &info);
    if (engine->vhost == NULL) {
        (void)snprintf(why, why_size,
                       "libwebsockets cannot start on libuv; is the package "
                       "libwebsockets-evlib-uv installed?");
        if (engine->context != NULL)
            lws_context_destroy(engine->context);
        free_engine(engine);
        return -ENOSYS;
    }
    *out_engine = engine;
    return 0;
}

/* With a loop that is not its own, libwebsockets frees its context by a second call, when the
 * loop has closed all handles. */
static void continue_teardown(struct hl_task *task)
{
    struct hl_ws_engine *engine = HL_CONTAINER_OF(task, struct hl_ws_engine, teardown);
    struct hl_wire *wire = engine->wire;

    if (engine->n_sockets > 0)
        engine->turns_left = TEARDOWN_TURNS;
    if (engine->turns_left-- > 0) {
        hl_loop_post(hl_loop_uv_loop(wire->config.loop), &engine->teardown);
        return;
    }
    lws_context_destroy(engine->context);
    free_engine(engine);
    wire->n_handles--;
    hl_wire_check_closed(wire);
}

void hl_ws_engine_destroy(struct hl_ws_engine *engine)
{
    if (engine == NULL)
        return;
    engine->wire->n_handles++; /* the engine itself */
    engine->turns_left = TEARDOWN_TURNS;
    engine->teardown.run = continue_teardown;
    lws_context_destroy(engine->context);
    hl_loop_post(hl_loop_uv_loop(engine->wire->config.loop), &engine->teardown);
}
