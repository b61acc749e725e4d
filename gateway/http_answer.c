/* Answers: the exchange operations and the poll link's. Thread: the loop's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/check.h"
#include "base/event.h"
#include "gateway/http.h"

enum { STREAM_HEADERS = -1 };

static struct hl_http_request *request_of(struct hl_exchange *exchange)
{
    return HL_CONTAINER_OF(exchange, struct hl_http_request, exchange);
}

/* RFC 9110 section 15, RFC 6585, RFC 4918 section 11.5. */
static const struct {
    int status;
    const char *reason;
} reasons[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {302, "Found"},
    {304, "Not Modified"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {422, "Unprocessable Content"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {503, "Service Unavailable"},
    {507, "Insufficient Storage"},
};

/* A status without a phrase gets an empty one, which RFC 9112 section 4 allows. */
static const char *reason_of(int status)
{
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (reasons[i].status == status)
            return reasons[i].reason;
    }
    return "";
}

static const char *date_of(struct hl_wire *wire)
{
    time_t now = time(NULL);
    struct tm utc;

    if (now != wire->date_s && gmtime_r(&now, &utc) != NULL) {
        wire->date_s = now;
        (void)strftime(wire->date, sizeof(wire->date), "%a, %d %b %Y %H:%M:%S GMT", &utc);
    }
    return wire->date;
}

/* Every answer to a page says which origin may read it, refusals too: the page must be able
 * to read the problem. */
static void append_cors(struct hl_buffer *out, const struct hl_http_request *request)
{
    if (request->head.headers[HL_HEADER_ORIGIN].size == 0 || request->has_cors)
        return;
    hl_buffer_append_text(out, "vary: origin\r\n");
    if (!request->is_origin_allowed)
        return;
    hl_buffer_append_text(out, "access-control-allow-origin: ");
    hl_buffer_append_bytes(out, request->head.headers[HL_HEADER_ORIGIN]);
    hl_buffer_append_text(out, "\r\naccess-control-expose-headers: etag, location, retry-after, "
                               "request-id, holdline-position, idempotent-replayed\r\n");
}

/* body_size STREAM_HEADERS: chunked, or until close for HTTP/1.0. */
static void append_head(struct hl_buffer *out, struct hl_http_request *request, int status,
                        const char *content_type, ssize_t body_size)
{
    bool has_body = status != 204 && status != 304;

    hl_buffer_printf(out, "HTTP/1.1 %d %s\r\ndate: %s\r\n", status, reason_of(status),
                     date_of(request->conn->wire));
    if (has_body && content_type != NULL)
        hl_buffer_printf(out, "content-type: %s\r\n", content_type);
    if (has_body && body_size >= 0) {
        hl_buffer_append_text(out, "content-length: ");
        hl_buffer_append_u64(out, (uint64_t)body_size);
        hl_buffer_append_text(out, "\r\n");
    }
    if (body_size == STREAM_HEADERS) {
        hl_buffer_append_text(out, "x-accel-buffering: no\r\n");
        if (!request->head.is_http_1_0)
            hl_buffer_append_text(out, "transfer-encoding: chunked\r\n");
    }
    if (!request->has_cache_control)
        hl_buffer_append_text(out, "cache-control: no-store\r\n");
    hl_buffer_printf(out, "x-content-type-options: nosniff\r\nrequest-id: %s\r\n",
                     request->exchange.request_id);
    append_cors(out, request);
    hl_buffer_append_bytes(out, hl_buffer_bytes(&request->extra));
    hl_buffer_append_text(out, request->is_keep_alive ? "\r\n" : "connection: close\r\n\r\n");
}

static void answer(struct hl_exchange *exchange, int status, const char *content_type,
                   struct hl_bytes body)
{
    struct hl_http_request *request = request_of(exchange);
    struct hl_conn *conn = request->conn;
    bool has_body = status != 204 && status != 304 && exchange->method != HL_HEAD;
    struct hl_buffer *out;

    HL_CHECK(!request->is_answered && !request->is_stream);
    if (conn != NULL && body.size > conn->wire->limits.response_bytes_max) {
        hl_event(HL_EVENT_ERROR, "wire.answer_too_large", HL_BYTES("path", exchange->path),
                 HL_U64("bytes", body.size));
        hl_exchange_problem(exchange, HL_PROBLEM_INTERNAL, "The answer is larger than allowed.");
        return;
    }
    request->is_answered = true;
    if (conn == NULL || conn->phase != HL_CONN_OPEN) {
        hl_http_request_done(request);
        return;
    }
    out = &conn->wire->reply;
    hl_buffer_clear(out);
    append_head(out, request, status, content_type, (ssize_t)body.size);
    if (has_body && body.size <= HL_WIRE_SCRATCH_SIZE) {
        hl_buffer_append_bytes(out, body); /* one packet for head and body */
        has_body = false;
    }
    HL_CHECK(!hl_buffer_failed(out));
    hl_conn_write(conn, hl_buffer_bytes(out));
    if (has_body)
        hl_conn_write(conn, body);
    hl_http_request_done(request);
}

/* Values may stem from the client: what cannot stand in a header, or has no room, is left out
 * rather than trusted. */
static void add_header(struct hl_exchange *exchange, const char *name, struct hl_bytes value)
{
    struct hl_http_request *request = request_of(exchange);
    struct hl_buffer *extra = &request->extra;

    HL_CHECK(!request->is_answered && strpbrk(name, "\r\n: ") == NULL);
    for (size_t i = 0; i < value.size; i++) {
        if ((unsigned char)value.data[i] < 0x20 || (unsigned char)value.data[i] >= 0x7f)
            return;
    }
    if (extra->size + strlen(name) + value.size + 4 > extra->size_max)
        return;
    request->has_cache_control |= strcmp(name, "cache-control") == 0;
    request->has_cors |= strcmp(name, "access-control-allow-origin") == 0;
    hl_buffer_append_text(extra, name);
    hl_buffer_append_text(extra, ": ");
    hl_buffer_append_bytes(extra, value);
    hl_buffer_append_text(extra, "\r\n");
    if (hl_buffer_failed(extra)) /* no memory */
        hl_buffer_clear(extra);
}

static void start_stream(struct hl_exchange *exchange, int status, const char *content_type)
{
    struct hl_http_request *request = request_of(exchange);
    struct hl_conn *conn = request->conn;
    struct hl_buffer *out;

    HL_CHECK(!request->is_answered);
    request->is_answered = true;
    request->is_stream = true;
    request->is_keep_alive = false;
    if (conn == NULL || conn->phase != HL_CONN_OPEN)
        return;
    out = &conn->wire->reply;
    hl_buffer_clear(out);
    append_head(out, request, status, content_type, STREAM_HEADERS);
    HL_CHECK(!hl_buffer_failed(out));
    hl_conn_write(conn, hl_buffer_bytes(out));
    if (conn->phase == HL_CONN_OPEN)
        hl_conn_watch_end(conn);
}

static bool is_ready(struct hl_exchange *exchange)
{
    const struct hl_conn *conn = request_of(exchange)->conn;

    return conn != NULL && conn->phase == HL_CONN_OPEN && !conn->is_broken &&
           hl_conn_is_drained(conn);
}

static void write_stream(struct hl_exchange *exchange, struct hl_bytes data)
{
    struct hl_http_request *request = request_of(exchange);
    struct hl_conn *conn = request->conn;
    struct hl_buffer *out;

    HL_CHECK(request->is_stream);
    if (conn == NULL || conn->phase != HL_CONN_OPEN || data.size == 0 ||
        exchange->method == HL_HEAD)
        return;
    if (request->head.is_http_1_0) {
        hl_conn_write(conn, data);
        return;
    }
    out = &conn->wire->reply;
    hl_buffer_clear(out);
    hl_buffer_printf(out, "%zx\r\n", data.size);
    if (data.size <= HL_WIRE_SCRATCH_SIZE) {
        hl_buffer_append_bytes(out, data);
        hl_buffer_append_text(out, "\r\n");
        hl_conn_write(conn, hl_buffer_bytes(out));
        return;
    }
    hl_conn_write(conn, hl_buffer_bytes(out));
    hl_conn_write(conn, data);
    hl_conn_write(conn, hl_bytes_of("\r\n"));
}

static void end_stream(struct hl_exchange *exchange)
{
    struct hl_http_request *request = request_of(exchange);
    struct hl_conn *conn = request->conn;

    HL_CHECK(request->is_stream);
    if (conn != NULL && !request->head.is_http_1_0 && exchange->method != HL_HEAD)
        hl_conn_write(conn, hl_bytes_of("0\r\n\r\n"));
    hl_http_request_done(request);
}

static void cut_stream(struct hl_exchange *exchange)
{
    struct hl_http_request *request = request_of(exchange);

    HL_CHECK(request->is_stream && exchange->on_gone == NULL);
    if (request->conn != NULL)
        hl_conn_close(request->conn);
    hl_http_request_done(request);
}

const struct hl_exchange_ops hl_http_exchange_ops = {
    .answer = answer,
    .header = add_header,
    .stream = start_stream,
    .is_ready = is_ready,
    .write = write_stream,
    .end = end_stream,
    .cut = cut_stream,
};

/* -- the link of a poll: one answer -- */

static struct hl_http_request *request_of_link(struct hl_link *link)
{
    return HL_CONTAINER_OF(link, struct hl_http_request, link);
}

static bool is_link_ready(struct hl_link *link)
{
    (void)link;
    return true;
}

static void send_poll(struct hl_link *link, struct hl_bytes text)
{
    struct hl_http_request *request = request_of_link(link);

    request->is_poll = false; /* the hub has forgotten the link */
    answer(&request->exchange, 200, "application/json", text);
}

static void close_poll(struct hl_link *link, const struct hl_problem *problem)
{
    struct hl_http_request *request = request_of_link(link);

    request->is_poll = false;
    hl_exchange_problem_with(&request->exchange, problem);
}

const struct hl_link_ops hl_http_poll_ops = {
    .is_ready = is_link_ready,
    .send = send_poll,
    .close = close_poll,
};
