#include "gateway/ws/events.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "gateway/http.h"
#include "gateway/ws/state.h"

enum { CLOSE_NORMAL = 1000, MESSAGE_BYTES_MAX = 4 << 20 };

struct hl_ws_events {
    struct hl_exchange exchange; /* its views are of `head` */
    struct hl_ws *ws;
    bool is_open; /* the router has it */
    size_t head_size;
    char head[];
};

static struct hl_ws_events *events_of(struct hl_exchange *exchange)
{
    return HL_CONTAINER_OF(exchange, struct hl_ws_events, exchange);
}

static bool is_ready(struct hl_exchange *exchange)
{
    struct hl_ws_events *events = events_of(exchange);

    return events->is_open && hl_ws_is_ready(events->ws);
}

/* `start` and `end` are written around `text`. */
static void send_text(struct hl_ws_events *events, const char *start, struct hl_bytes text,
                      const char *end)
{
    static const char room[HL_LINK_PRE];
    struct hl_buffer out;

    hl_buffer_init(&out, sizeof(room) + MESSAGE_BYTES_MAX);
    hl_buffer_append(&out, room, sizeof(room));
    hl_buffer_append_text(&out, start);
    hl_buffer_append_bytes(&out, text);
    hl_buffer_append_text(&out, end);
    if (hl_buffer_failed(&out))
        hl_ws_kill(events->ws); /* it comes back and reads on from its cursor */
    else
        hl_ws_send(events->ws, (struct hl_bytes){out.data + sizeof(room), out.size - sizeof(room)},
                   false);
    hl_buffer_fini(&out);
}

static void write_text(struct hl_exchange *exchange, struct hl_bytes text)
{
    if (events_of(exchange)->is_open)
        send_text(events_of(exchange), "", text, "");
}

static void end_stream(struct hl_exchange *exchange)
{
    struct hl_ws_events *events = events_of(exchange);

    events->is_open = false;
    hl_ws_close(events->ws, CLOSE_NORMAL, "");
}

static void tell_problem(struct hl_exchange *exchange, const struct hl_problem *problem)
{
    struct hl_ws_events *events = events_of(exchange);
    const struct hl_problem_kind *kind = hl_problem_kind(problem->code);
    struct hl_buffer text;

    events->is_open = false;
    hl_buffer_init(&text, HL_WIRE_SCRATCH_SIZE);
    hl_problem_append(&text, problem);
    if (!hl_buffer_failed(&text))
        send_text(events, "{\"t\":\"error\",\"problem\":", hl_buffer_bytes(&text), "}");
    hl_buffer_fini(&text);
    if (kind->close == 0)
        kind = hl_problem_kind(HL_PROBLEM_BAD_REQUEST);
    hl_ws_close(events->ws, kind->close, kind->code);
}

/* Only problems end a socket; an answer to it would be the router's mistake. */
static void answer(struct hl_exchange *exchange, int status, const char *content_type,
                   struct hl_bytes body)
{
    (void)status;
    (void)content_type;
    (void)body;
    hl_exchange_problem(exchange, HL_PROBLEM_INTERNAL, "This is no address for a WebSocket.");
}

static void ignore_header(struct hl_exchange *exchange, const char *name, struct hl_bytes value)
{
    (void)exchange;
    (void)name;
    (void)value;
}

static void start_stream(struct hl_exchange *exchange, int status, const char *content_type)
{
    (void)exchange;
    (void)status;
    (void)content_type;
}

static const struct hl_exchange_ops events_ops = {
    .answer = answer,
    .header = ignore_header,
    .stream = start_stream,
    .is_ready = is_ready,
    .write = write_text,
    .end = end_stream,
    .cut = end_stream,
    .problem = tell_problem,
};

struct hl_ws_events *hl_ws_events_create(struct hl_ws *ws, struct hl_bytes head)
{
    struct hl_ws_events *events = calloc(1, sizeof(*events) + head.size);

    if (events == NULL)
        return NULL;
    events->ws = ws;
    events->head_size = head.size;
    memcpy(events->head, head.data, head.size);
    return events;
}

void hl_ws_events_free(struct hl_ws_events *events)
{
    if (events == NULL)
        return;
    HL_CHECK(!events->is_open);
    free(events);
}

void hl_ws_events_gone(struct hl_ws_events *events)
{
    if (events == NULL || !events->is_open)
        return;
    events->is_open = false;
    if (events->exchange.on_gone != NULL)
        events->exchange.on_gone(&events->exchange);
}

void hl_ws_events_writable(struct hl_ws_events *events)
{
    if (events != NULL && events->is_open && events->exchange.on_writable != NULL)
        events->exchange.on_writable(&events->exchange);
}

void hl_ws_events_open(struct hl_ws_events *events)
{
    struct hl_wire *wire = events->ws->engine->wire;
    struct hl_exchange *exchange = &events->exchange;
    struct hl_gate_head head;
    struct hl_gate_refusal refusal;
    int r = hl_gate_read((struct hl_bytes){events->head, events->head_size}, events->head_size,
                         &head, &refusal);

    HL_CHECK(r == 0); /* as before, when it was a request */
    hl_http_make_request_id(exchange->request_id);
    exchange->ops = &events_ops;
    exchange->method = HL_GET;
    exchange->path = head.path;
    exchange->query = head.query;
    memcpy(exchange->headers, head.headers, sizeof(head.headers));
    exchange->address = hl_bytes_of(events->ws->address);
    exchange->is_socket = true;
    events->is_open = true;
    wire->config.request(wire->config.arg, exchange);
}

void hl_ws_events_receive(struct hl_ws_events *events, struct hl_bytes text)
{
    if (events->is_open && events->exchange.on_message != NULL)
        events->exchange.on_message(&events->exchange, text);
}

void hl_ws_events_refuse(struct hl_ws_events *events, const struct hl_problem *problem)
{
    hl_ws_events_gone(events);
    hl_exchange_problem_with(&events->exchange, problem);
}
