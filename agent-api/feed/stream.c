/* A feed as server-sent events. */
#include <stdio.h>

#include "agent-api/feed/feed.h"

enum {
    WRITE_BYTES = 32 * 1024, /* handed to the wire at once */
    HEARTBEAT_MS = 15000,
};

static void write_text(struct hl_feed *feed, struct hl_bytes text)
{
    struct hl_exchange *exchange = feed->pending.exchange;
    exchange->ops->write(exchange, text);
    feed->due_ms = hl_feed_now(feed) + HEARTBEAT_MS;
}

/* An id without data fires no event, but a client that reconnects sends it. */
static void write_id(struct hl_feed *feed, const char *before)
{
    char cursor[HL_CURSOR_TEXT_SIZE];
    char text[HL_CURSOR_TEXT_SIZE + 32];
    hl_feed_format_cursor(feed->epoch, feed->position, cursor);
    int size = snprintf(text, sizeof(text), "%sid: %s\n\n", before, cursor);
    write_text(feed, (struct hl_bytes){text, (size_t)size});
    feed->told = feed->position;
}

static bool is_ready(struct hl_feed *feed)
{
    return feed->pending.exchange->ops->is_ready(feed->pending.exchange);
}

static void append_event(struct hl_feed *feed, const struct hl_entry *entry, struct hl_buffer *out)
{
    hl_buffer_append_text(out, "id: ");
    hl_buffer_append_u64(out, feed->epoch);
    hl_buffer_append_text(out, ".");
    hl_buffer_append_u64(out, entry->position);
    hl_buffer_append_text(out, "\ndata: ");
    hl_feed_append_event(out, feed, entry);
    hl_buffer_append_text(out, "\n\n");
    feed->api->stats.feed_events++;
}

static void on_writable(struct hl_exchange *exchange)
{
    hl_feed_continue(exchange->handler);
}

/* Not before the first page was read: a cursor that is too old is still answered with 410. */
static void start(struct hl_feed *feed)
{
    struct hl_exchange *exchange = feed->pending.exchange;
    if (feed->is_started)
        return;
    feed->is_started = true;
    exchange->on_writable = on_writable;
    hl_reply_add_text(exchange, "cache-control", "no-store");
    exchange->ops->stream(exchange, 200, "text/event-stream");
    write_id(feed, "retry: 2000\n");
    hl_feed_enter(feed);
}

/* Writes as long as the peer takes it. What it does not take is read again later. */
static bool deliver(struct hl_feed *feed, const struct hl_batch *batch, uint64_t head)
{
    struct hl_buffer out;
    size_t i = 0;
    (void)head;
    start(feed);
    hl_buffer_init(&out, HL_REPLY_BYTES_MAX);
    while (i < batch->n_entries && is_ready(feed)) {
        const struct hl_entry *entry = NULL;
        uint64_t position = feed->position;
        hl_buffer_clear(&out);
        while (out.size < WRITE_BYTES &&
               (entry = hl_feed_next(feed, batch, &i, &position)) != NULL) {
            append_event(feed, entry, &out);
            position = entry->position;
        }
        if (hl_buffer_failed(&out))
            break;
        if (out.size > 0) {
            write_text(feed, hl_buffer_bytes(&out));
            feed->told = position;
        }
        feed->position = position;
    }
    hl_buffer_fini(&out);
    return true;
}

static bool tell(struct hl_feed *feed, struct hl_bytes object)
{
    struct hl_buffer out;
    if (!is_ready(feed))
        return true;
    hl_buffer_init(&out, HL_REPLY_BYTES_MAX);
    hl_buffer_append_text(&out, "event: presence\ndata: ");
    hl_buffer_append_bytes(&out, object);
    hl_buffer_append_text(&out, "\n\n");
    if (!hl_buffer_failed(&out))
        write_text(feed, hl_buffer_bytes(&out));
    hl_buffer_fini(&out);
    return true;
}

static void due(struct hl_feed *feed)
{
    start(feed);
    if (!is_ready(feed))
        return;
    if (feed->told < feed->position) /* it need not read again what was not for it */
        write_id(feed, "");
    else
        write_text(feed, hl_bytes_of(":\n\n"));
}

/* The client comes back with its last id. */
static void end(struct hl_feed *feed)
{
    struct hl_exchange *exchange;
    start(feed);
    exchange = hl_pending_take(&feed->pending);
    exchange->on_writable = NULL;
    exchange->ops->end(exchange);
    hl_feed_close(feed);
}

/* Once it has begun there is no status to tell: what is wrong is the answer to the next try. */
static void fail(struct hl_feed *feed, const struct hl_problem *problem)
{
    if (feed->is_started) {
        end(feed);
        return;
    }
    hl_exchange_problem_with(hl_pending_take(&feed->pending), problem);
    hl_feed_close(feed);
}

static void begin(struct hl_feed *feed)
{
    feed->due_ms = hl_feed_now(feed) + HEARTBEAT_MS;
    if (feed->position >= feed->api->head)
        start(feed);
    hl_feed_continue(feed);
}

const struct hl_feed_transport hl_feed_stream = {
    .begin = begin,
    .is_ready = is_ready,
    .deliver = deliver,
    .tell = tell,
    .due = due,
    .drain = end,
    .fail = fail,
};
