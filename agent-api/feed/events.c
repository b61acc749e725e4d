/* GET /v1/events: everything that happens, in the order of the log, from a cursor on. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent-api/feed/feed.h"
#include "agent-api/media.h"

enum { WAIT_S_DEFAULT = 25, WAIT_S_MAX = 30, LIMIT_DEFAULT = 100, LIMIT_MAX = 200 };

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

static bool parse_cursor(const char *text, uint64_t *out_epoch, uint64_t *out_position)
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
    if (is_valid && strcmp(text, "start") == 0)
        return true;
    if (!is_valid || !parse_cursor(text, &epoch, &wish->position)) {
        hl_reply_invalid(exchange, "/cursor", "cursor is start, or one that was given out.");
        return false;
    }
    if (epoch == info.epoch && wish->position <= head)
        return true;
    answer_expired(exchange, info.epoch);
    return false;
}

void hl_events_get(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    struct hl_api *api = arg;
    struct hl_principal who;
    struct hl_feed wish = {0};
    uint64_t wait_s = 0;
    uint64_t limit = 0;
    bool has_cursor = false;
    (void)params;
    if (!hl_api_authenticate(api, exchange, &who) ||
        !hl_reply_read_number(exchange, "wait", 0, WAIT_S_MAX, WAIT_S_DEFAULT, &wait_s) ||
        !hl_reply_read_number(exchange, "limit", 1, LIMIT_MAX, LIMIT_DEFAULT, &limit) ||
        !read_position(api, exchange, &wish, &has_cursor))
        return;
    if (api->is_draining) {
        hl_exchange_problem(exchange, HL_PROBLEM_DRAINING, "Come back with the same cursor.");
        return;
    }
    if (api->n_feeds >= api->config.feeds_max) {
        hl_exchange_problem(exchange, HL_PROBLEM_TOO_MANY, "Too many feeds are open.");
        return;
    }
    wish.who = who;
    wish.limit = (uint32_t)limit;
    wish.is_stream = hl_media_names(exchange->headers[HL_HEADER_ACCEPT], "text/event-stream");
    /* Without a cursor the answer is the place to start from, at once. */
    wish.due_ms = hl_clock_mono_ms(api->config.clock) + (has_cursor ? wait_s * 1000 : 0);
    hl_feed_open(api, exchange, &wish);
}
