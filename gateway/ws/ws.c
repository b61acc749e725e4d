#include "gateway/ws/ws.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <libwebsockets.h>

#include "base/check.h"
#include "base/json.h"
#include "gateway/http.h"
#include "gateway/ws/events.h"
#include "gateway/ws/state.h"

_Static_assert(LWS_PRE <= HL_LINK_PRE, "links leave room for libwebsockets' frame head");

enum {
    CLOSE_NORMAL = 1000,
    FIN_CLOSE = 0x88,           /* first byte of a close frame */
    CLOSE_REASON_MAX = 123,     /* RFC 6455 section 5.5 */
    QUEUE_BYTES_MAX = 262144,   /* waiting for a socket that takes nothing */
    UNPROVEN_BYTES_MAX = 16384, /* far less than a socket's buffer */
    DEFLATE_BYTES_MIN = 512,    /* smaller messages are not worth compressing */
    RSV1 = 0x40,                /* "compressed", in a frame's first byte */
    CLOSE_CODE_END = 5000       /* RFC 6455 section 7.4.2: the first that is nobody's */
};

/* -- life -- */

void hl_ws_free(struct hl_ws *ws)
{
    hl_buffer_fini(&ws->in);
    hl_ws_events_free(ws->events);
    free(ws->origin);
    free(ws);
}

void hl_ws_leave(struct hl_ws *ws)
{
    if (ws->is_link_open) {
        ws->is_link_open = false;
        hl_hub_link_gone(ws->engine->wire->config.hub, &ws->link);
    }
    hl_ws_events_gone(ws->events);
    if (ws->is_counted)
        hl_limits_release(ws->engine->wire->config.shared, &ws->key);
    ws->is_counted = false;
    hl_list_remove(&ws->stall_link);
    hl_list_remove(&ws->close_link);
    while (!hl_list_is_empty(&ws->queue)) {
        struct hl_ws_message *message = HL_CONTAINER_OF(ws->queue.next, struct hl_ws_message, link);

        hl_list_remove(&message->link);
        free(message);
    }
    ws->queued_bytes = 0;
}

void hl_ws_kill(struct hl_ws *ws)
{
    const struct linger none = {.l_onoff = 1, .l_linger = 0};

    ws->is_broken = true;
    if (ws->wsi == NULL)
        return;
    /* what the peer does not read must not stay with the system either */
    (void)setsockopt(lws_get_socket_fd(ws->wsi), SOL_SOCKET, SO_LINGER, &none, sizeof(none));
    (void)shutdown(lws_get_socket_fd(ws->wsi), SHUT_RDWR);
}

static void note_stall(struct hl_ws *ws)
{
    if (hl_list_is_linked(&ws->stall_link))
        return;
    ws->stalled_at_ms = hl_wire_now_ms(ws->engine->wire);
    hl_list_add(&ws->engine->stalled, &ws->stall_link);
}

/* Of a plain socket; what a tunnel carries its connection has counted. */
static void count_bytes(const struct hl_ws *ws, enum hl_wire_counter counter, size_t n)
{
    if (ws->is_counted)
        hl_limits_count(ws->engine->wire->config.shared, counter, n);
}

/* -- writing -- */

struct outgoing {
    struct hl_bytes data; /* HL_LINK_PRE writable bytes in front */
    bool is_binary, is_packed;
};

static void write_now(struct hl_ws *ws, const struct outgoing *out)
{
    int n;

    ws->sends_rsv1 = out->is_packed;
    n = lws_write(ws->wsi, (unsigned char *)(uintptr_t)out->data.data, out->data.size,
                  out->is_binary ? LWS_WRITE_BINARY : LWS_WRITE_TEXT);
    ws->sends_rsv1 = false;
    if (n < 0) {
        hl_ws_kill(ws);
        return;
    }
    count_bytes(ws, HL_COUNT_BYTES_OUT, out->data.size);
    ws->unproven_bytes += out->data.size;
    if (lws_partial_buffered(ws->wsi)) {
        note_stall(ws);
        (void)lws_callback_on_writable(ws->wsi);
    }
}

/* True if a message may be written without being queued behind another. */
static bool may_write(const struct hl_ws *ws)
{
    return hl_list_is_empty(&ws->queue) && !lws_partial_buffered(ws->wsi);
}

static void queue_message(struct hl_ws *ws, const struct outgoing *out)
{
    size_t bytes_max = ws->is_echo ? HL_WS_ECHO_BYTES_MAX : QUEUE_BYTES_MAX;
    struct hl_ws_message *message = NULL;

    if (ws->queued_bytes + out->data.size <= bytes_max)
        message = malloc(sizeof(*message) + LWS_PRE + out->data.size);
    if (message == NULL) {
        hl_ws_kill(ws); /* a slow consumer: it would not read a close frame either */
        return;
    }
    memset(&message->link, 0, sizeof(message->link));
    message->size = out->data.size;
    message->is_binary = out->is_binary;
    message->is_packed = out->is_packed;
    memcpy(message->data + LWS_PRE, out->data.data, out->data.size);
    hl_list_add(&ws->queue, &message->link);
    ws->queued_bytes += out->data.size;
    note_stall(ws);
    (void)lws_callback_on_writable(ws->wsi);
}

/* Replaces the message by its compressed form where that is shorter. */
static void pack_message(struct hl_ws_engine *engine, struct outgoing *out)
{
    static const char room[HL_LINK_PRE];

    hl_buffer_clear(&engine->packed);
    hl_buffer_append(&engine->packed, room, sizeof(room));
    hl_deflate_compress(engine->codec, out->data, &engine->packed);
    if (hl_buffer_failed(&engine->packed) || engine->packed.size - sizeof(room) >= out->data.size)
        return;
    out->data.data = engine->packed.data + sizeof(room);
    out->data.size = engine->packed.size - sizeof(room);
    out->is_packed = true;
}

void hl_ws_send(struct hl_ws *ws, struct hl_bytes data, bool is_binary)
{
    struct outgoing out = {.data = data, .is_binary = is_binary};

    if (ws->wsi == NULL || ws->is_broken || ws->close_code != 0)
        return;
    if (ws->has_deflate && data.size >= DEFLATE_BYTES_MIN)
        pack_message(ws->engine, &out);
    if (may_write(ws))
        write_now(ws, &out);
    else
        queue_message(ws, &out);
}

static void flush_queue(struct hl_ws *ws)
{
    while (!hl_list_is_empty(&ws->queue) && !ws->is_broken && !lws_partial_buffered(ws->wsi) &&
           !lws_send_pipe_choked(ws->wsi)) {
        struct hl_ws_message *message = HL_CONTAINER_OF(ws->queue.next, struct hl_ws_message, link);
        struct outgoing out = {.data = {message->data + LWS_PRE, message->size},
                               .is_binary = message->is_binary,
                               .is_packed = message->is_packed};

        hl_list_remove(&message->link);
        ws->queued_bytes -= message->size;
        write_now(ws, &out);
        free(message);
    }
    if (!hl_list_is_empty(&ws->queue)) {
        note_stall(ws);
        (void)lws_callback_on_writable(ws->wsi);
    }
}

/* -- closing -- */

void hl_ws_close(struct hl_ws *ws, int code, const char *reason)
{
    if (ws->close_code != 0)
        return;
    ws->close_code = code;
    ws->close_reason = reason;
    ws->close_at_ms = hl_wire_now_ms(ws->engine->wire);
    hl_list_add(&ws->engine->closing, &ws->close_link);
    if (ws->wsi != NULL && !ws->is_broken)
        (void)lws_callback_on_writable(ws->wsi);
}

/* libwebsockets offers no call that writes a close frame: LWS_WRITE_HTTP writes bytes as they
 * are, so the frame is made here. */
static void write_close(struct hl_ws *ws)
{
    char frame[LWS_PRE + 4 + CLOSE_REASON_MAX];
    char *bytes = frame + LWS_PRE;
    size_t size = strnlen(ws->close_reason, CLOSE_REASON_MAX);

    bytes[0] = (char)FIN_CLOSE;
    bytes[1] = (char)(ws->close_code == LWS_CLOSE_STATUS_NO_STATUS ? 0 : 2 + size);
    bytes[2] = (char)(ws->close_code >> 8);
    bytes[3] = (char)(ws->close_code & 0xff);
    memcpy(bytes + 4, ws->close_reason, size);
    ws->is_close_sent = true;
    if (lws_write(ws->wsi, (unsigned char *)bytes, 2 + (size_t)bytes[1], LWS_WRITE_HTTP) < 0)
        hl_ws_kill(ws);
}

/* The result of a callback. Sends the close frame once everything in front of it is out; the
 * peer's answer, or CLOSE_MS, ends the socket then. Not left to libwebsockets: where it closes
 * because WRITEABLE returned -1, Debian's build does so twice, and the second time cuts the
 * frame off. */
static int close_if_due(struct hl_ws *ws)
{
    if (ws->is_broken)
        return -1;
    if (ws->close_code != 0 && !ws->is_close_sent && may_write(ws))
        write_close(ws);
    return 0;
}

/* What the wire itself finds wrong with a message: bye, then close, as the core does it. */
static void refuse_message(struct hl_ws *ws, enum hl_problem_code code, const char *detail)
{
    const struct hl_problem_kind *kind = hl_problem_kind(code);
    struct hl_problem problem = {.code = code, .detail = hl_bytes_of(detail)};
    static const char room[HL_LINK_PRE];
    char request_id[HL_ID_TEXT_SIZE];
    struct hl_buffer bye;

    if (ws->events != NULL) {
        hl_ws_events_refuse(ws->events, &problem);
        return;
    }
    hl_http_make_request_id(request_id);
    problem.request_id = hl_bytes_of(request_id);
    ws->is_link_open = false;
    hl_hub_link_gone(ws->engine->wire->config.hub, &ws->link);
    hl_buffer_init(&bye, 4096);
    hl_buffer_append(&bye, room, sizeof(room));
    hl_buffer_printf(&bye,
                     "{\"t\":\"bye\",\"code\":%d,\"name\":\"%s\",\"class\":\"%s\",\"problem\":",
                     kind->close, kind->code, hl_retry_name(kind->retry));
    hl_problem_append(&bye, &problem);
    hl_buffer_append_text(&bye, "}");
    if (!hl_buffer_failed(&bye))
        hl_ws_send(ws, (struct hl_bytes){bye.data + sizeof(room), bye.size - sizeof(room)}, false);
    hl_buffer_fini(&bye);
    hl_ws_close(ws, kind->close, kind->code);
}

/* -- the link's operations -- */

static struct hl_ws *ws_of(struct hl_link *link)
{
    return HL_CONTAINER_OF(link, struct hl_ws, link);
}

/* Asking the socket is a system call; for a while after it had room it is not asked again. */
static bool has_room(struct hl_ws *ws)
{
    if (ws->unproven_bytes < UNPROVEN_BYTES_MAX)
        return true;
    if (lws_send_pipe_choked(ws->wsi))
        return false;
    ws->unproven_bytes = 0;
    return true;
}

bool hl_ws_is_ready(struct hl_ws *ws)
{
    if (ws->wsi == NULL || ws->is_broken || ws->close_code != 0)
        return false;
    if (may_write(ws) && has_room(ws))
        return true;
    note_stall(ws);
    (void)lws_callback_on_writable(ws->wsi); /* who asked is told then */
    return false;
}

static bool is_link_ready(struct hl_link *link)
{
    return hl_ws_is_ready(ws_of(link));
}

static void send_link(struct hl_link *link, struct hl_bytes text)
{
    hl_ws_send(ws_of(link), text, false);
}

static void close_link(struct hl_link *link, const struct hl_problem *problem)
{
    struct hl_ws *ws = ws_of(link);

    ws->is_link_open = false; /* the hub has forgotten it */
    if (problem == NULL) {
        hl_ws_close(ws, CLOSE_NORMAL, "");
        return;
    }
    const struct hl_problem_kind *kind = hl_problem_kind(problem->code);
    if (kind->close == 0)
        kind = hl_problem_kind(HL_PROBLEM_BAD_REQUEST);
    hl_ws_close(ws, kind->close, kind->code);
}

static const struct hl_link_ops link_ops = {
    .is_ready = is_link_ready,
    .send = send_link,
    .close = close_link,
};

/* -- what libwebsockets tells -- */

int hl_ws_established(struct hl_ws *ws)
{
    hl_limits_count(ws->engine->wire->config.shared, HL_COUNT_WEBSOCKETS, 1);
    if (ws->is_echo)
        return 0;
    if (ws->events != NULL) {
        hl_ws_events_open(ws->events);
        return close_if_due(ws);
    }
    ws->link.ops = &link_ops;
    ws->link.kind = HL_LINK_STREAM;
    ws->link.address = hl_bytes_of(ws->address);
    ws->is_link_open = true;
    hl_hub_link_open(ws->engine->wire->config.hub, &ws->link);
    return close_if_due(ws);
}

static void echo_message(struct hl_ws *ws, struct hl_bytes message, bool is_binary)
{
    struct hl_buffer out;
    static const char room[HL_LINK_PRE];

    if (!is_binary && !hl_json_is_utf8(message)) {
        hl_ws_close(ws, LWS_CLOSE_STATUS_INVALID_PAYLOAD, "invalid UTF-8");
        return;
    }
    hl_buffer_init(&out, message.size + sizeof(room));
    hl_buffer_append(&out, room, sizeof(room));
    hl_buffer_append_bytes(&out, message);
    if (hl_buffer_failed(&out))
        hl_ws_kill(ws);
    else
        hl_ws_send(ws, (struct hl_bytes){out.data + sizeof(room), message.size}, is_binary);
    hl_buffer_fini(&out);
}

size_t hl_ws_message_max(const struct hl_ws *ws)
{
    return ws->is_echo ? (size_t)HL_WS_ECHO_BYTES_MAX : ws->engine->wire->limits.message_bytes_max;
}

static void refuse_size(struct hl_ws *ws)
{
    if (ws->is_echo)
        hl_ws_close(ws, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, "too large");
    else
        refuse_message(ws, HL_PROBLEM_TOO_LARGE, "Send messages of at most body_max bytes.");
}

/* Expands a compressed message; false: it was refused. */
static bool unpack_message(struct hl_ws *ws, struct hl_bytes *message)
{
    struct hl_buffer *out = &ws->engine->unpacked;
    int r;

    out->size_max = hl_ws_message_max(ws);
    hl_buffer_clear(out);
    r = hl_deflate_expand(ws->engine->codec, *message, out);
    if (r == HL_DEFLATE_TOO_LARGE)
        refuse_size(ws);
    if (r == HL_DEFLATE_INVALID)
        hl_ws_close(ws, LWS_CLOSE_STATUS_INVALID_PAYLOAD, "not a deflate stream");
    *message = hl_buffer_bytes(out);
    return r == 0;
}

static void receive_message(struct hl_ws *ws, struct hl_bytes message, bool is_binary)
{
    if (ws->is_packed && !unpack_message(ws, &message))
        return;
    if (message.size > hl_ws_message_max(ws))
        refuse_size(ws);
    else if (ws->is_echo)
        echo_message(ws, message, is_binary);
    else if (is_binary)
        refuse_message(ws, HL_PROBLEM_UNSUPPORTED_TYPE, "Send text messages, not binary ones.");
    else if (ws->events != NULL)
        hl_ws_events_receive(ws->events, message);
    else
        hl_hub_link_receive(ws->engine->wire->config.hub, &ws->link, message);
}

/* Buffers go back after use: what is idle holds nothing. */
static void release_buffer(struct hl_buffer *buffer)
{
    size_t size_max = buffer->size_max;

    hl_buffer_fini(buffer);
    hl_buffer_init(buffer, size_max);
}

/* A piece of a message, of at most RX_BUFFER_SIZE bytes. Most messages are one piece and are
 * passed on where they lie. */
int hl_ws_receive(struct hl_ws *ws, struct hl_bytes piece)
{
    bool is_first = lws_is_first_fragment(ws->wsi) != 0;
    bool is_last = lws_is_final_fragment(ws->wsi) != 0;
    bool is_binary = lws_frame_is_binary(ws->wsi) != 0;
    bool is_frame_start = ws->is_frame_ended;
    bool has_rsv1 = (lws_get_reserved_bits(ws->wsi) & RSV1) != 0;

    count_bytes(ws, HL_COUNT_BYTES_IN, piece.size);
    if (ws->close_code != 0 || ws->is_broken)
        return 0; /* nothing counts after a close */
    ws->is_frame_ended = lws_remaining_packet_payload(ws->wsi) == 0;
    if (is_first)
        ws->is_packed = has_rsv1;
    else if (has_rsv1 && is_frame_start) /* RFC 7692 section 6.1 */
        hl_ws_close(ws, LWS_CLOSE_STATUS_PROTOCOL_ERR, "RSV1 in a continuation");
    if (is_first && is_last && ws->in.size == 0) {
        receive_message(ws, piece, is_binary);
        return close_if_due(ws);
    }
    hl_buffer_append_bytes(&ws->in, piece);
    /* told by the frame's head already: not waited for */
    if (hl_buffer_failed(&ws->in) ||
        lws_remaining_packet_payload(ws->wsi) > ws->in.size_max - ws->in.size)
        refuse_size(ws);
    else if (is_last && ws->close_code == 0)
        receive_message(ws, hl_buffer_bytes(&ws->in), is_binary);
    if (is_last || ws->close_code != 0)
        release_buffer(&ws->in);
    return close_if_due(ws);
}

int hl_ws_writeable(struct hl_ws *ws)
{
    if (ws->is_broken)
        return -1;
    hl_list_remove(&ws->stall_link); /* the socket took something */
    ws->unproven_bytes = 0;
    flush_queue(ws);
    if (ws->is_link_open && may_write(ws))
        hl_hub_link_writable(ws->engine->wire->config.hub, &ws->link);
    if (may_write(ws))
        hl_ws_events_writable(ws->events);
    return close_if_due(ws);
}

/* What our answer to the peer's close frame carries: its own code, or why it is wrong
 * (RFC 6455 sections 5.5.1 and 7.4). */
static int answer_code_of(struct hl_bytes payload)
{
    int code;

    if (payload.size == 0)
        return LWS_CLOSE_STATUS_NO_STATUS;
    if (payload.size == 1)
        return LWS_CLOSE_STATUS_PROTOCOL_ERR;
    code = (unsigned char)payload.data[0] << 8 | (unsigned char)payload.data[1];
    if (code >= CLOSE_CODE_END) /* other forbidden ones libwebsockets has replaced by 1002 */
        return LWS_CLOSE_STATUS_PROTOCOL_ERR;
    if (!hl_json_is_utf8((struct hl_bytes){payload.data + 2, payload.size - 2}))
        return LWS_CLOSE_STATUS_INVALID_PAYLOAD;
    return code;
}

/* Answered at once, and that is the end: what the peer sends after its close is not read. */
int hl_ws_peer_closes(struct hl_ws *ws, struct hl_bytes payload)
{
    if (ws->close_code == 0 && !ws->is_broken) {
        ws->close_code = answer_code_of(payload);
        ws->close_reason = "";
        write_close(ws);
    }
    return -1;
}
