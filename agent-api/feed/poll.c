/* A feed as a long-poll: one answer, as soon as there is an event or its time is over. */
#include "agent-api/feed/feed.h"

enum { ANSWER_BYTES = 256 * 1024 }; /* of events in one answer */

/* `events` and `ephemeral` are the items of two arrays. */
static void answer(struct hl_feed *feed, struct hl_bytes events, struct hl_bytes ephemeral,
                   bool has_more)
{
    struct hl_buffer body;
    char cursor[HL_CURSOR_TEXT_SIZE];
    hl_buffer_init(&body, HL_REPLY_BYTES_MAX);
    hl_buffer_append_text(&body, "{\"data\":[");
    hl_buffer_append_bytes(&body, events);
    hl_feed_format_cursor(feed->epoch, feed->position, cursor);
    hl_buffer_append_text(&body, "],\"ephemeral\":[");
    hl_buffer_append_bytes(&body, ephemeral);
    hl_buffer_printf(&body, "],\"next_cursor\":\"%s\",\"has_more\":%s}", cursor,
                     has_more ? "true" : "false");
    hl_reply_json(hl_pending_take(&feed->pending), 200, &body);
    hl_buffer_fini(&body);
    hl_feed_close(feed);
}

static void answer_empty(struct hl_feed *feed)
{
    answer(feed, (struct hl_bytes){0}, (struct hl_bytes){0}, false);
}

static bool is_ready(struct hl_feed *feed)
{
    (void)feed;
    return true;
}

static bool deliver(struct hl_feed *feed, const struct hl_batch *batch, uint64_t head)
{
    const struct hl_entry *entry;
    struct hl_buffer events;
    uint32_t n = 0;
    size_t i = 0;
    hl_buffer_init(&events, HL_REPLY_BYTES_MAX);
    while ((entry = hl_feed_next(feed, batch, &i, &feed->position)) != NULL) {
        hl_buffer_append_text(&events, n > 0 ? "," : "");
        hl_feed_append_event(&events, feed, entry);
        feed->position = entry->position;
        if (++n == feed->limit || events.size > ANSWER_BYTES)
            break;
    }
    feed->api->stats.feed_events += n;
    if (n > 0)
        answer(feed, hl_buffer_bytes(&events), (struct hl_bytes){0}, feed->position < head);
    hl_buffer_fini(&events);
    return n == 0;
}

static bool tell(struct hl_feed *feed, struct hl_bytes object)
{
    answer(feed, (struct hl_bytes){0}, object, feed->position < feed->api->head);
    return false;
}

static void fail(struct hl_feed *feed, const struct hl_problem *problem)
{
    hl_exchange_problem_with(hl_pending_take(&feed->pending), problem);
    hl_feed_close(feed);
}

static void begin(struct hl_feed *feed)
{
    hl_feed_enter(feed);
    if (feed->position >= feed->api->head && feed->due_ms <= hl_feed_now(feed))
        answer_empty(feed);
    else
        hl_feed_continue(feed);
}

const struct hl_feed_transport hl_feed_poll = {
    .begin = begin,
    .is_ready = is_ready,
    .deliver = deliver,
    .tell = tell,
    .due = answer_empty,
    .drain = answer_empty,
    .fail = fail,
};
