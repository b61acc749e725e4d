/* GET /v1/events: everything that happens, in the order of the log, from a cursor on. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent-api/feed/feed.h"
#include "agent-api/media.h"

enum {
    WAIT_S_DEFAULT = 25,
    WAIT_S_MAX = 30,
    LIMIT_DEFAULT = 100,
    LIMIT_MAX = 200,
    STRANGERS_PART = 4
};

/* The cursor of a request: a stream that comes back says it in Last-Event-ID. */
static bool read_cursor(struct hl_exchange *exchange, char out_text[HL_CURSOR_TEXT_SIZE])
{
    struct hl_bytes last = exchange->headers[HL_HEADER_LAST_EVENT_ID];
    if (last.size >= HL_CURSOR_TEXT_SIZE)
        return false;
    if (last.size > 0) {
        memcpy(out_text, last.data, last.size);
        out_text[last.size] = '\0';
        return true;
    }
    int r = hl_exchange_query(exchange, "cursor", out_text, HL_CURSOR_TEXT_SIZE);
    if (r == HL_QUERY_ABSENT)
        out_text[0] = '\0';
    return r != HL_QUERY_INVALID;
}

bool hl_feed_parse_cursor(const char *text, uint64_t *out_epoch, uint64_t *out_position)
{
    char end = '\0';
    return strspn(text, "0123456789.") == strlen(text) && text[0] != '.' &&
           sscanf(text, "%20" SCNu64 ".%20" SCNu64 "%c", out_epoch, out_position, &end) == 2;
}

static void answer_expired(struct hl_exchange *exchange, uint64_t epoch)
{
    char resync[HL_CURSOR_TEXT_SIZE];
    struct hl_buffer extra;
    hl_feed_format_cursor(epoch, 0, resync);
    hl_buffer_init(&extra, 256);
    hl_buffer_printf(&extra, "\"resync_from\":\"%s\"", resync);
    hl_reply_log_problem_with(exchange, HL_PROBLEM_CURSOR_EXPIRED,
                              "The log was restored since. Forget what is known and read from "
                              "resync_from on, or list the conversations and start without cursor.",
                              &extra);
    hl_buffer_fini(&extra);
}

/* Where the feed starts. False: answered. */
static bool read_position(struct hl_api *api, struct hl_exchange *exchange, struct hl_feed *wish,
                          bool *out_has_cursor)
{
    char text[HL_CURSOR_TEXT_SIZE];
    struct hl_log_info info;
    uint64_t epoch = 0;
    hl_log_info(api->config.log, &info);
    wish->epoch = info.epoch;
    wish->position = 0;
    uint64_t head = info.position > api->head ? info.position : api->head;
    bool is_valid = read_cursor(exchange, text);
    *out_has_cursor = is_valid && text[0] != '\0';
    if (is_valid && text[0] == '\0') {
        wish->position = head;
        return true;
    }
    if (is_valid && strcmp(text, "start") == 0) {
        wish->from_start = true;
        return true;
    }
    if (!is_valid || !hl_feed_parse_cursor(text, &epoch, &wish->position)) {
        hl_reply_invalid(exchange, "/cursor", "cursor is start, or one that was given out.");
        return false;
    }
    if (epoch == info.epoch && wish->position <= head)
        return true;
    answer_expired(exchange, info.epoch);
    return false;
}

/* An optional id of the query. False: answered. */
static bool read_id(struct hl_exchange *exchange, const char *name, const char *prefix,
                    struct hl_id *out_id)
{
    char text[HL_ID_TEXT_SIZE];
    char pointer[32];
    int r = hl_exchange_query(exchange, name, text, sizeof(text));
    if (r == HL_QUERY_ABSENT || (r == 0 && hl_id_parse(hl_bytes_of(text), prefix, out_id) == 0))
        return true;
    snprintf(pointer, sizeof(pointer), "/%s", name);
    hl_reply_invalid(exchange, pointer, "%s is an id that begins with %s.", name, prefix);
    return false;
}

static bool read_filter(struct hl_exchange *exchange, struct hl_feed_filter *filter)
{
    int r = hl_exchange_query(exchange, "site", filter->site, sizeof(filter->site));
    if (r == HL_QUERY_ABSENT)
        filter->site[0] = '\0';
    if (r == HL_QUERY_INVALID) {
        hl_reply_invalid(exchange, "/site", "site is the name of a site.");
        return false;
    }
    return read_id(exchange, "inbox", HL_ID_INBOX, &filter->inbox) &&
           read_id(exchange, "conversation", HL_ID_CONVERSATION, &filter->conversation);
}

/* Whether what is not stored is wanted: by a long-poll only if it says so, since each such thing
 * answers it. False: answered. */
static bool read_presence(struct hl_exchange *exchange, struct hl_feed *wish)
{
    char text[8];
    int r = hl_exchange_query(exchange, "presence", text, sizeof(text));
    wish->has_presence =
        r == HL_QUERY_ABSENT ? wish->transport != &hl_feed_poll : strcmp(text, "true") == 0;
    if (r == HL_QUERY_ABSENT || (r == 0 && (wish->has_presence || strcmp(text, "false") == 0)))
        return true;
    hl_reply_invalid(exchange, "/presence", "presence is true or false.");
    return false;
}

static const struct hl_feed_transport *transport_of(const struct hl_exchange *exchange)
{
    if (exchange->is_socket)
        return &hl_feed_socket;
    return hl_media_names(exchange->headers[HL_HEADER_ACCEPT], "text/event-stream")
               ? &hl_feed_stream
               : &hl_feed_poll;
}

static bool read_request(struct hl_api *api, struct hl_exchange *exchange, struct hl_feed *wish)
{
    uint64_t wait_s = 0;
    uint64_t limit = 0;
    bool has_cursor = false;
    if (!hl_reply_read_number(exchange, "wait", 0, WAIT_S_MAX, WAIT_S_DEFAULT, &wait_s) ||
        !hl_reply_read_number(exchange, "limit", 1, LIMIT_MAX, LIMIT_DEFAULT, &limit) ||
        !read_filter(exchange, &wish->filter) || !read_presence(exchange, wish) ||
        !read_position(api, exchange, wish, &has_cursor))
        return false;
    wish->limit = (uint32_t)limit;
    wish->told = wish->position;
    /* Without a cursor the answer is the place to start from, at once. */
    wish->due_ms = hl_clock_mono_ms(api->config.clock) + (has_cursor ? wait_s * 1000 : 0);
    return true;
}

/* Who says nothing about who they are must not keep agents out: they have a part of the places. */
static bool has_place(const struct hl_api *api, const struct hl_exchange *exchange)
{
    bool is_stranger = exchange->headers[HL_HEADER_AUTHORIZATION].size == 0 &&
                       exchange->headers[HL_HEADER_COOKIE].size == 0;
    if (is_stranger && api->n_strangers > api->config.feeds_max / STRANGERS_PART)
        return false;
    return api->n_feeds < api->config.feeds_max;
}

void hl_events_get(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    struct hl_api *api = arg;
    struct hl_feed wish = {.transport = transport_of(exchange)};
    (void)params;
    /* a WebSocket may say who it is in its first frame */
    if ((!exchange->is_socket && !hl_api_authenticate(api, exchange, &wish.who)) ||
        !read_request(api, exchange, &wish))
        return;
    struct hl_log_info audit;
    hl_log_info(api->config.audit, &audit);
    if (audit.failed || !audit.writable)
        hl_exchange_problem(exchange, HL_PROBLEM_AUDIT_UNAVAILABLE,
                            "What is read must be recorded, and cannot be now.");
    else if (api->is_draining)
        hl_exchange_problem(exchange, HL_PROBLEM_DRAINING, "Come back with the same cursor.");
    else if (!has_place(api, exchange))
        hl_exchange_problem(exchange, HL_PROBLEM_TOO_MANY, "Too many feeds are open.");
    else
        hl_feed_open(api, exchange, &wish);
}
