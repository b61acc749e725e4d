#include "gateway/http.h"

#include <stdlib.h>
#include <string.h>

#include "agent-api/media.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/result.h"
#include "gateway/origin.h"
#include "gateway/ws/ws.h"

enum { EXTRA_HEADERS_MAX = 8192 };

/* -- requests -- */

void hl_http_make_request_id(char out_text[HL_ID_TEXT_SIZE])
{
    uint8_t random[10];
    struct hl_id id;

    hl_random_fill(hl_random_system(), random, sizeof(random));
    id = hl_id_v7(hl_clock_wall_ms(hl_clock_system()), random);
    hl_id_format(&id, HL_ID_REQUEST, out_text);
}

static bool is_origin_allowed(const struct hl_wire *wire, const struct hl_gate_head *head)
{
    const struct hl_wire_config *config = &wire->config;
    struct hl_bytes origin = head->headers[HL_HEADER_ORIGIN];

    if (origin.size == 0)
        return false;
    return hl_origin_is_allowed(config->origins, config->n_origins, origin,
                                head->headers[HL_HEADER_HOST]) ||
           (config->knows_origin != NULL && config->knows_origin(config->arg, origin));
}

/* The peer, or, if the peer is a proxy of ours, whom that one names. */
static void find_client(struct hl_http_request *request, const struct hl_conn *conn)
{
    const struct hl_wire *wire = conn->wire;
    enum hl_forwarded_header header = wire->config.proxy_header;
    struct sockaddr_in6 client = {.sin6_family = AF_INET6};

    request->key = conn->key;
    memcpy(request->address, conn->address, sizeof(request->address));
    if (!conn->is_proxy || request->head.forwarded[header].n_lines == 0)
        return;
    client.sin6_addr =
        hl_forwarded_client(&wire->proxies, &conn->peer, header, &request->head.forwarded[header]);
    request->key = hl_limits_key_of((struct sockaddr *)&client);
    hl_limits_address_text((struct sockaddr *)&client, request->address, sizeof(request->address));
}

static struct hl_http_request *create_request(struct hl_conn *conn, const struct hl_gate_head *head)
{
    struct hl_http_request *request = calloc(1, sizeof(*request));
    const struct hl_wire *wire = conn->wire;

    if (request == NULL)
        return NULL;
    hl_http_make_request_id(request->exchange.request_id);
    hl_buffer_init(&request->extra, EXTRA_HEADERS_MAX);
    request->conn = conn;
    request->head = *head;
    /* while draining, clients move on with their next request */
    request->is_keep_alive = head->is_keep_alive && wire->listener != NULL;
    request->is_origin_allowed = is_origin_allowed(wire, head);
    request->exchange.ops = &hl_http_exchange_ops;
    request->exchange.method = head->method;
    request->exchange.path = head->path;
    request->exchange.query = head->query;
    memcpy(request->exchange.headers, head->headers, sizeof(head->headers));
    find_client(request, conn);
    request->exchange.address = hl_bytes_of(request->address);
    request->link.address = request->exchange.address;
    request->link.origin = head->headers[HL_HEADER_ORIGIN];
    request->link.is_same_host =
        hl_origin_is_allowed(NULL, 0, request->link.origin, head->headers[HL_HEADER_HOST]);
    conn->user = request;
    return request;
}

static void free_request(struct hl_http_request *request)
{
    if (request->conn != NULL)
        request->conn->user = NULL;
    hl_buffer_fini(&request->extra);
    hl_buffer_fini(&request->kept);
    free(request);
}

void hl_http_request_done(struct hl_http_request *request)
{
    struct hl_conn *conn = request->conn;
    bool is_keep_alive = request->is_keep_alive;
    size_t size = request->head.size + (size_t)request->head.content_length;

    free_request(request);
    if (conn == NULL || conn->phase != HL_CONN_OPEN)
        return;
    if (!is_keep_alive || conn->is_eof) {
        hl_conn_finish(conn, size != conn->in.size);
        return;
    }
    hl_conn_consume(conn, size);
    if (!hl_conn_is_drained(conn))
        return; /* on_drained goes on */
    hl_conn_set_due(conn, HL_DUE_IDLE);
    hl_conn_want_input(conn, true);
    if (conn->in.size > 0)
        hl_conn_resume_later(conn); /* not here: the handler is still on the stack */
}

static const char methods_served[] = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

static void refuse_request(struct hl_conn *conn, const struct hl_gate_head *head,
                           enum hl_problem_code code, const char *detail)
{
    struct hl_http_request *request;

    hl_limits_count(conn->wire->config.shared, HL_COUNT_GATE_REFUSALS, 1);
    conn->in_min = 0;
    hl_conn_set_due(conn, HL_DUE_NONE);
    hl_conn_want_input(conn, false);
    request = create_request(conn, head);
    if (request == NULL) {
        hl_conn_close(conn);
        return;
    }
    request->is_keep_alive = false;
    if (code == HL_PROBLEM_METHOD_NOT_ALLOWED)
        request->exchange.ops->header(&request->exchange, "allow", hl_bytes_of(methods_served));
    hl_exchange_problem(&request->exchange, code, "%s", detail);
}

/* -- what a request asks for -- */

static void answer_preflight(struct hl_http_request *request)
{
    struct hl_exchange *exchange = &request->exchange;

    if (request->is_origin_allowed) {
        exchange->ops->header(exchange, "access-control-allow-methods",
                              hl_bytes_of(methods_served));
        exchange->ops->header(exchange, "access-control-allow-headers",
                              hl_bytes_of("content-type, idempotency-key, authorization, if-match, "
                                          "if-none-match, last-event-id, holdline-min-position"));
        exchange->ops->header(exchange, "access-control-max-age", hl_bytes_of("7200"));
    } else {
        exchange->ops->header(exchange, "allow", hl_bytes_of(methods_served));
    }
    exchange->ops->answer(exchange, 204, NULL, (struct hl_bytes){0});
}

static void refuse_method(struct hl_exchange *exchange, const char *allowed)
{
    exchange->ops->header(exchange, "allow", hl_bytes_of(allowed));
    hl_exchange_problem(exchange, HL_PROBLEM_METHOD_NOT_ALLOWED, "Use %s.", allowed);
}

static void start_poll(struct hl_http_request *request)
{
    struct hl_exchange *exchange = &request->exchange;
    struct hl_conn *conn = request->conn;

    if (exchange->method != HL_POST) {
        refuse_method(exchange, "POST");
        return;
    }
    if (!hl_media_is(exchange->headers[HL_HEADER_CONTENT_TYPE], "application/json")) {
        hl_exchange_problem(exchange, HL_PROBLEM_UNSUPPORTED_TYPE, "Send application/json.");
        return;
    }
    request->is_poll = true;
    request->link.ops = &hl_http_poll_ops;
    request->link.kind = HL_LINK_POLL;
    hl_hub_poll(conn->wire->config.hub, &request->link, exchange->body);
    /* parked: hear when the client goes (request may be gone by now, conn is not) */
    if (conn->user != NULL && conn->phase == HL_CONN_OPEN)
        hl_conn_watch_end(conn);
}

static void answer_echo(struct hl_http_request *request)
{
    struct hl_exchange *exchange = &request->exchange;
    struct hl_bytes type = exchange->headers[HL_HEADER_CONTENT_TYPE];
    char text[128] = "application/octet-stream";

    if (type.size > 0 && type.size < sizeof(text)) {
        memcpy(text, type.data, type.size);
        text[type.size] = '\0';
    }
    exchange->ops->answer(exchange, 200, text, exchange->body);
}

/* 16 bytes in base64 */
static bool is_websocket_key(struct hl_bytes key)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    if (key.size != 24 || memcmp(key.data + 22, "==", 2) != 0)
        return false;
    for (size_t i = 0; i < 22; i++) {
        if (memchr(digits, key.data[i], sizeof(digits) - 1) == NULL)
            return false;
    }
    return true;
}

/* What must be right before the handshake may be handed on; NULL if it is. */
static const char *find_upgrade_fault(const struct hl_gate_upgrade *upgrade)
{
    if (!upgrade->is_wanted)
        return "This is a WebSocket address: send a handshake (RFC 6455).";
    if (!hl_bytes_is(upgrade->version, "13"))
        return "Sec-WebSocket-Version must be 13.";
    if (!is_websocket_key(upgrade->key))
        return "Sec-WebSocket-Key must be 16 bytes in base64.";
    if (!upgrade->offers_v1 && !upgrade->offers_events && !upgrade->offers_echo)
        return "Ask for the subprotocol holdline.v1, or of /v1/events for holdline.events.v1.";
    return NULL;
}

/* A WebSocket behind a proxy is its client's connection from now on, and counts as that. */
static bool take_place(struct hl_http_request *request)
{
    struct hl_conn *conn = request->conn;

    if (memcmp(&request->key, &conn->key, sizeof(conn->key)) == 0)
        return true;
    if (!hl_limits_move(conn->wire->config.shared, &conn->key, &request->key,
                        hl_wire_now_ms(conn->wire)))
        return false;
    conn->key = request->key;
    return true;
}

static void start_websocket(struct hl_http_request *request)
{
    struct hl_conn *conn = request->conn;
    struct hl_exchange *exchange = &request->exchange;
    struct hl_gate_upgrade upgrade = request->head.upgrade;
    const char *fault;

    /* one of them: that of the path */
    upgrade.offers_events = upgrade.offers_events && hl_bytes_is(exchange->path, "/v1/events");
    upgrade.offers_v1 = upgrade.offers_v1 && !hl_bytes_is(exchange->path, "/v1/events");
    upgrade.offers_echo = upgrade.offers_echo && !upgrade.offers_events && !upgrade.offers_v1 &&
                          conn->wire->config.is_test_mode;
    fault = find_upgrade_fault(&upgrade);
    if (fault != NULL) {
        if (upgrade.is_wanted && !hl_bytes_is(upgrade.version, "13"))
            exchange->ops->header(exchange, "sec-websocket-version", hl_bytes_of("13"));
        hl_exchange_problem(exchange, HL_PROBLEM_BAD_REQUEST, "%s", fault);
        return;
    }
    /* RFC 6455 section 4.1: nothing may be sent before our answer */
    if (conn->in.size != request->head.size) {
        request->is_keep_alive = false;
        hl_exchange_problem(exchange, HL_PROBLEM_BAD_REQUEST, "Wait for the handshake's answer.");
        return;
    }
    if (!take_place(request)) {
        hl_exchange_problem(exchange, HL_PROBLEM_TOO_MANY, "Close some connections first.");
        return;
    }
    if (hl_ws_start(conn, &upgrade, &request->link) != 0) {
        request->is_keep_alive = false;
        hl_exchange_problem(exchange, HL_PROBLEM_BUSY, "No more WebSockets can be opened here.");
        return;
    }
    request->conn = NULL;
    free_request(request);
}

static bool is_safe(enum hl_method method)
{
    return method == HL_GET || method == HL_HEAD;
}

static void route_request(struct hl_http_request *request)
{
    struct hl_wire *wire = request->conn->wire;
    struct hl_exchange *exchange = &request->exchange;
    bool has_origin = exchange->headers[HL_HEADER_ORIGIN].size > 0;
    bool is_websocket =
        hl_bytes_is(exchange->path, "/v1/ws") ||
        (request->head.upgrade.is_wanted && hl_bytes_is(exchange->path, "/v1/events")) ||
        (wire->config.is_test_mode && hl_bytes_is(exchange->path, "/test/echo-ws"));

    if (has_origin && !request->is_origin_allowed && (is_websocket || !is_safe(exchange->method)))
        hl_exchange_problem(exchange, HL_PROBLEM_ORIGIN_FORBIDDEN,
                            "Add this origin to the origins of the site.");
    else if (is_websocket && exchange->method != HL_GET)
        refuse_method(exchange, "GET");
    else if (is_websocket)
        start_websocket(request);
    else if (exchange->method == HL_OPTIONS)
        answer_preflight(request);
    else if (hl_bytes_is(exchange->path, "/v1/poll"))
        start_poll(request);
    else if (wire->config.is_test_mode && exchange->method == HL_POST &&
             hl_bytes_is(exchange->path, "/test/echo"))
        answer_echo(request);
    else
        wire->config.request(wire->config.arg, exchange);
}

static void start_request(struct hl_conn *conn, const struct hl_gate_head *head)
{
    struct hl_wire *wire = conn->wire;
    struct hl_http_request *request;
    struct hl_problem too_fast = {.code = HL_PROBLEM_TOO_FAST};

    conn->in_min = 0;
    hl_conn_set_due(conn, HL_DUE_NONE);
    hl_conn_want_input(conn, false);
    request = create_request(conn, head);
    if (request == NULL) {
        hl_conn_close(conn);
        return;
    }
    request->exchange.body =
        (struct hl_bytes){.data = conn->in.data + head->size, .size = (size_t)head->content_length};
    if (hl_limits_request(wire->config.shared, &request->key, hl_wire_now_ms(wire),
                          &too_fast.retry_ms) != 0) {
        too_fast.detail = hl_bytes_of("This address sends too many requests.");
        hl_exchange_problem_with(&request->exchange, &too_fast);
        return;
    }
    route_request(request);
}

/* -- input -- */

/* Looks at what is there and starts at most one request; the next one is looked at in a later
 * turn, after this one's answer. */
static void read_request(struct hl_conn *conn)
{
    struct hl_wire *wire = conn->wire;
    struct hl_bytes input = hl_buffer_bytes(&conn->in);
    struct hl_gate_head head;
    struct hl_gate_refusal refusal;
    int r = hl_gate_read(input, wire->limits.header_bytes_max, &head, &refusal);

    if (r == HL_GATE_REFUSED) {
        refuse_request(conn, &head, refusal.code, refusal.detail);
        return;
    }
    if (r == 0 && head.content_length > wire->limits.body_bytes_max) {
        refuse_request(conn, &head, HL_PROBLEM_TOO_LARGE, "The request body is too large.");
        return;
    }
    if (r == 0 && input.size - head.size >= head.content_length) {
        start_request(conn, &head);
        return;
    }
    if (conn->is_eof) {
        hl_conn_close(conn);
        return;
    }
    /* the time for a head begins with its first byte, that for a body with the head's end */
    if (r == 0) {
        conn->in_min = head.size + (size_t)head.content_length;
        hl_conn_set_due(conn, HL_DUE_BODY);
    } else if (conn->due != HL_DUE_HEAD) {
        hl_conn_set_due(conn, HL_DUE_HEAD);
    }
}

/* The client closed while its request is being worked on. A waiting poll or a stream has
 * nobody left to hear it; other answers are still sent: the client may have closed its own
 * half only. */
static void lose_peer(struct hl_conn *conn, const struct hl_http_request *request)
{
    if (request->is_poll || request->is_stream)
        hl_conn_close(conn);
}

static void on_input(struct hl_conn *conn)
{
    if (conn->user != NULL)
        lose_peer(conn, conn->user);
    else if (!hl_conn_is_drained(conn))
        return; /* on_drained comes back */
    else if (conn->in.size < conn->in_min && !conn->is_eof)
        return;
    else if (conn->in.size > 0)
        read_request(conn);
    else if (conn->is_eof)
        hl_conn_finish(conn, false);
}

static void on_drained(struct hl_conn *conn)
{
    struct hl_http_request *request = conn->user;

    if (request == NULL) {
        hl_conn_set_due(conn, HL_DUE_IDLE);
        hl_conn_want_input(conn, true);
        on_input(conn);
    } else if (request->is_stream && request->exchange.on_writable != NULL) {
        request->exchange.on_writable(&request->exchange);
    }
}

static void on_due(struct hl_conn *conn)
{
    static const struct hl_gate_head none = {.method = HL_GET};

    if (conn->user == NULL && conn->in.size > 0)
        refuse_request(conn, &none, HL_PROBLEM_TIMEOUT, "The request did not arrive in time.");
    else
        hl_conn_close(conn);
}

static void on_gone(struct hl_conn *conn)
{
    struct hl_http_request *request = conn->user;

    if (request == NULL)
        return;
    conn->user = NULL;
    request->conn = NULL;
    if (request->is_poll) {
        hl_hub_link_gone(conn->wire->config.hub, &request->link);
    } else if (request->exchange.on_gone != NULL) {
        request->exchange.on_gone(&request->exchange);
    } else {
        /* its handler answers later, into the void, and may read until then what came in */
        request->exchange.address = (struct hl_bytes){0};
        request->kept = conn->in;
        conn->in = (struct hl_buffer){0};
        return;
    }
    free_request(request);
}

static const struct hl_conn_ops http_ops = {
    .input = on_input,
    .drained = on_drained,
    .due = on_due,
    .gone = on_gone,
};

int hl_http_open(struct hl_wire *wire, int fd, const struct sockaddr *address,
                 const struct hl_limits_key *key)
{
    return hl_conn_open(wire, fd, address, key, &http_ops);
}
