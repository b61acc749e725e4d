/* One HTTP request and its one answer, independent of the wire. The gateway makes it when the
 * whole request (head, checked by the gate, and body) is there; a handler answers it once, at
 * once or later, on the loop's thread. Tests have an implementation of their own. */
#ifndef HL_AGENT_API_EXCHANGE_H
#define HL_AGENT_API_EXCHANGE_H

#include "base/bytes.h"
#include "session/problem.h"

enum hl_method { HL_GET, HL_HEAD, HL_POST, HL_PUT, HL_PATCH, HL_DELETE, HL_OPTIONS, HL_METHOD_END };

const char *hl_method_name(enum hl_method method); /* "GET" */

enum hl_header {
    HL_HEADER_AUTHORIZATION,
    HL_HEADER_CONTENT_TYPE,
    HL_HEADER_ACCEPT,
    HL_HEADER_ORIGIN,
    HL_HEADER_HOST,
    HL_HEADER_IDEMPOTENCY_KEY,
    HL_HEADER_IF_MATCH,
    HL_HEADER_IF_NONE_MATCH,
    HL_HEADER_LAST_EVENT_ID,
    HL_HEADER_ACCEPT_ENCODING,
    HL_HEADER_COOKIE,
    HL_HEADER_SEC_FETCH_SITE,
    HL_HEADER_MIN_POSITION, /* Holdline-Min-Position */
    HL_HEADER_END
};

struct hl_exchange;

struct hl_exchange_ops {
    /* The answer. Status, content type and body are copied or sent before it returns. The
     * exchange may be freed at any moment after. */
    void (*answer)(struct hl_exchange *exchange, int status, const char *content_type,
                   struct hl_bytes body);
    /* Adds a response header; before answer() or stream(). Name lower-case. */
    void (*header)(struct hl_exchange *exchange, const char *name, struct hl_bytes value);
    /* A streamed answer (SSE): head now, then write() while is_ready(), end() at last. */
    void (*stream)(struct hl_exchange *exchange, int status, const char *content_type);
    bool (*is_ready)(struct hl_exchange *exchange);
    void (*write)(struct hl_exchange *exchange, struct hl_bytes data);
    void (*end)(struct hl_exchange *exchange);
    /* Breaks a stream off, so that the client can tell that it is not whole; the last call. */
    void (*cut)(struct hl_exchange *exchange);
    /* Sockets: tells the problem as a frame and closes with its close code; the last call.
     * NULL elsewhere: a problem is an answer. */
    void (*problem)(struct hl_exchange *exchange, const struct hl_problem *problem);
};

struct hl_exchange { /* implementations embed it as first member */
    const struct hl_exchange_ops *ops;
    enum hl_method method;
    struct hl_bytes path;                   /* raw, without query */
    struct hl_bytes query;                  /* raw, without "?" */
    struct hl_bytes headers[HL_HEADER_END]; /* empty if absent */
    struct hl_bytes body;
    struct hl_bytes address; /* peer */
    char request_id[40];     /* req_… */
    /* The handler's, for deferred answers: */
    void *handler;
    void (*on_gone)(struct hl_exchange *exchange); /* connection died: answer() must not follow */
    void (*on_writable)(struct hl_exchange *exchange); /* streams */
    /* A WebSocket instead of a request: it is a stream from the start, each write() is one text
     * message, and what the client says comes here; the text is lent. */
    bool is_socket;
    void (*on_message)(struct hl_exchange *exchange, struct hl_bytes text);
};

/* Answers with application/problem+json, Retry-After where the kind or retry_ms asks for it,
 * and the exchange's request id. */
void hl_exchange_problem(struct hl_exchange *exchange, enum hl_problem_code code,
                         const char *format, ...) __attribute__((format(printf, 3, 4)));
void hl_exchange_problem_with(struct hl_exchange *exchange, const struct hl_problem *problem);

/* Value of a query parameter, percent-decoded into `out`. 0, HL_QUERY_ABSENT, HL_QUERY_INVALID
 * (bad escape, not UTF-8, longer than the buffer, given twice). */
enum { HL_QUERY_ABSENT = 1, HL_QUERY_INVALID };
int hl_exchange_query(const struct hl_exchange *exchange, const char *name, char *out,
                      size_t out_size);

/* The nth value (0, 1 …) of a parameter that may be given several times. As above. */
int hl_exchange_query_nth(const struct hl_exchange *exchange, const char *name, size_t nth,
                          char *out, size_t out_size);

/* A table of routes: pattern segments in braces are parameters: "/v1/conversations/{id}". */
enum { HL_ROUTE_PARAMS_MAX = 4 };
struct hl_route_params {
    struct hl_bytes values[HL_ROUTE_PARAMS_MAX]; /* in order of appearance, raw */
};
struct hl_route {
    enum hl_method method;
    const char *pattern;
    void (*handle)(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params);
};
/* Runs the route that matches; else answers 404, or 405 with Allow. */
void hl_routes_run(const struct hl_route *routes, size_t n_routes, void *arg,
                   struct hl_exchange *exchange);

#endif
