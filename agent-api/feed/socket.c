/* A feed as a WebSocket: the frames of holdline.events.v1 (docs/protocol.md). The client gives
 * credit by acknowledging; one that stops is sent no more and costs its position. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent-api/feed/feed.h"
#include "base/json.h"

enum {
    WRITE_BYTES = 32 * 1024, /* of events in one frame, about */
    HEARTBEAT_MS = 15000,
    SILENCE_MS = 60000, /* after which the peer counts as gone */
    AUTH_MS = 10000,
    TOKEN_SIZE_MAX = 255,
};

static void write_text(struct hl_feed *feed, struct hl_bytes text)
{
    feed->pending.exchange->ops->write(feed->pending.exchange, text);
    feed->due_ms = hl_feed_now(feed) + HEARTBEAT_MS;
}

/* `events` are the items of an array. */
static void write_events(struct hl_feed *feed, struct hl_bytes events, bool has_more)
{
    struct hl_buffer out;
    char cursor[HL_CURSOR_TEXT_SIZE];
    hl_feed_format_cursor(feed->epoch, feed->position, cursor);
    hl_buffer_init(&out, HL_REPLY_BYTES_MAX);
    hl_buffer_append_text(&out, "{\"t\":\"events\",\"data\":[");
    hl_buffer_append_bytes(&out, events);
    hl_buffer_printf(&out, "],\"next_cursor\":\"%s\",\"has_more\":%s}", cursor,
                     has_more ? "true" : "false");
    if (!hl_buffer_failed(&out))
        write_text(feed, hl_buffer_bytes(&out));
    hl_buffer_fini(&out);
    feed->told = feed->position;
}

static bool is_ready(struct hl_feed *feed)
{
    struct hl_exchange *exchange = feed->pending.exchange;
    return feed->is_open && feed->n_unacked < HL_FEED_CREDIT && exchange->ops->is_ready(exchange);
}

static void note_sent(struct hl_feed *feed, uint64_t position)
{
    feed->unacked[(feed->first_unacked + feed->n_unacked) % HL_FEED_CREDIT] = position;
    feed->n_unacked++;
}

static bool deliver(struct hl_feed *feed, const struct hl_batch *batch, uint64_t head)
{
    struct hl_buffer events;
    size_t i = 0;
    hl_buffer_init(&events, HL_REPLY_BYTES_MAX);
    while (i < batch->n_entries && is_ready(feed)) {
        const struct hl_entry *entry = NULL;
        hl_buffer_clear(&events);
        while (events.size < WRITE_BYTES && feed->n_unacked < HL_FEED_CREDIT &&
               (entry = hl_feed_next(feed, batch, &i, &feed->position)) != NULL) {
            hl_buffer_append_text(&events, events.size > 0 ? "," : "");
            hl_feed_append_event(&events, feed, entry);
            feed->position = entry->position;
            feed->api->stats.feed_events++;
            note_sent(feed, entry->position);
        }
        if (events.size > 0)
            write_events(feed, hl_buffer_bytes(&events), feed->position < head);
    }
    hl_buffer_fini(&events);
    return true;
}

static bool tell(struct hl_feed *feed, struct hl_bytes object)
{
    struct hl_exchange *exchange = feed->pending.exchange;
    struct hl_buffer out;
    if (!exchange->ops->is_ready(exchange))
        return true;
    hl_buffer_init(&out, HL_REPLY_BYTES_MAX);
    hl_buffer_append_text(&out, "{\"t\":\"presence\",\"presence\":");
    hl_buffer_append_bytes(&out, object);
    hl_buffer_append_text(&out, "}");
    if (!hl_buffer_failed(&out))
        write_text(feed, hl_buffer_bytes(&out));
    hl_buffer_fini(&out);
    return true;
}

static void fail(struct hl_feed *feed, const struct hl_problem *problem)
{
    struct hl_exchange *exchange = hl_pending_take(&feed->pending);
    exchange->on_writable = NULL;
    exchange->on_message = NULL;
    hl_exchange_problem_with(exchange, problem);
    hl_feed_close(feed);
}

static void end_for(struct hl_feed *feed, enum hl_problem_code code, const char *detail)
{
    struct hl_problem problem = {.code = code, .detail = hl_bytes_of(detail)};
    fail(feed, &problem);
}

static void drain(struct hl_feed *feed)
{
    end_for(feed, HL_PROBLEM_DRAINING, "Come back with the same cursor.");
}

static void due(struct hl_feed *feed)
{
    if (!feed->is_open)
        end_for(feed, HL_PROBLEM_UNAUTHORIZED, "Send {\"t\":\"auth\",\"token\":…} first.");
    else if (hl_feed_now(feed) >= feed->heard_ms + SILENCE_MS)
        end_for(feed, HL_PROBLEM_TIMEOUT, "Answer pings, or send them.");
    else if (is_ready(feed) && feed->told < feed->position)
        write_events(feed, (struct hl_bytes){0}, false);
    else
        write_text(feed, hl_bytes_of("{\"t\":\"ping\"}"));
}

static void enter(struct hl_feed *feed)
{
    feed->heard_ms = hl_feed_now(feed);
    feed->is_open = true;
    write_events(feed, (struct hl_bytes){0}, feed->position < feed->api->head);
    hl_feed_enter(feed);
    hl_feed_continue(feed);
}

/* Asks who it is; false: told, and the feed is closed. */
static bool authenticate(struct hl_feed *feed)
{
    struct hl_exchange *exchange = feed->pending.exchange;
    if (hl_api_authenticate(feed->api, exchange, &feed->who))
        return true;
    exchange->on_writable = NULL;
    exchange->on_message = NULL;
    (void)hl_pending_take(&feed->pending);
    hl_feed_close(feed);
    return false;
}

static void take_auth(struct hl_feed *feed, const json_t *frame)
{
    struct hl_exchange *exchange = feed->pending.exchange;
    const char *token = json_string_value(json_object_get(frame, "token"));
    char bearer[TOKEN_SIZE_MAX + 8];
    if (feed->is_open)
        return;
    if (token == NULL || strlen(token) > TOKEN_SIZE_MAX) {
        end_for(feed, HL_PROBLEM_UNAUTHORIZED, "auth needs token: an API key.");
        return;
    }
    snprintf(bearer, sizeof(bearer), "Bearer %s", token);
    exchange->headers[HL_HEADER_AUTHORIZATION] = hl_bytes_of(bearer);
    bool is_known = authenticate(feed);
    explicit_bzero(bearer, sizeof(bearer));
    if (!is_known)
        return;
    exchange->headers[HL_HEADER_AUTHORIZATION] = (struct hl_bytes){0};
    enter(feed);
}

static void take_ack(struct hl_feed *feed, const json_t *frame)
{
    const char *cursor = json_string_value(json_object_get(frame, "cursor"));
    uint64_t epoch = 0;
    uint64_t position = 0;
    if (cursor == NULL || !hl_feed_parse_cursor(cursor, &epoch, &position) ||
        epoch != feed->epoch || position > feed->position) {
        end_for(feed, HL_PROBLEM_INVALID_FRAME, "ack needs cursor: one that was given out here.");
        return;
    }
    while (feed->n_unacked > 0 && feed->unacked[feed->first_unacked] <= position) {
        feed->first_unacked = (feed->first_unacked + 1) % HL_FEED_CREDIT;
        feed->n_unacked--;
    }
    hl_feed_continue(feed);
}

/* Frames of unknown types are ignored: a later client may know more. */
static void take_frame(struct hl_feed *feed, const json_t *frame)
{
    const char *type = json_string_value(json_object_get(frame, "t"));
    if (type == NULL)
        end_for(feed, HL_PROBLEM_INVALID_FRAME, "A frame is an object with t, a string.");
    else if (strcmp(type, "auth") == 0)
        take_auth(feed, frame);
    else if (!feed->is_open)
        end_for(feed, HL_PROBLEM_UNAUTHORIZED, "Send {\"t\":\"auth\",\"token\":…} first.");
    else if (strcmp(type, "ack") == 0)
        take_ack(feed, frame);
    else if (strcmp(type, "ping") == 0)
        write_text(feed, hl_bytes_of("{\"t\":\"pong\"}"));
}

static void on_message(struct hl_exchange *exchange, struct hl_bytes text)
{
    struct hl_feed *feed = exchange->handler;
    json_t *frame = NULL;
    char why[160];
    feed->heard_ms = hl_feed_now(feed);
    if (!hl_json_is_utf8(text)) {
        end_for(feed, HL_PROBLEM_INVALID_UTF8, "Frames are UTF-8.");
    } else if (hl_json_parse(text, why, sizeof(why), &frame) != 0) {
        end_for(feed, HL_PROBLEM_NOT_JSON, "A frame is one JSON object.");
    } else {
        take_frame(feed, frame);
        json_decref(frame);
    }
}

static void on_writable(struct hl_exchange *exchange)
{
    hl_feed_continue(exchange->handler);
}

static void begin(struct hl_feed *feed)
{
    struct hl_exchange *exchange = feed->pending.exchange;
    exchange->on_writable = on_writable;
    exchange->on_message = on_message;
    exchange->ops->stream(exchange, 101, NULL);
    feed->due_ms = hl_feed_now(feed) + AUTH_MS;
    if (exchange->headers[HL_HEADER_AUTHORIZATION].size == 0 &&
        !hl_api_has_pass(feed->api, exchange))
        return; /* the first frame says who it is */
    if (authenticate(feed))
        enter(feed);
}

const struct hl_feed_transport hl_feed_socket = {
    .begin = begin,
    .is_ready = is_ready,
    .deliver = deliver,
    .tell = tell,
    .due = due,
    .drain = drain,
    .fail = fail,
};
