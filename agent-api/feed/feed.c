#include "agent-api/feed/feed.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent-api/present.h"
#include "base/check.h"

enum {
    SCAN_ENTRIES = 128,
    SCAN_BYTES = 64 * 1024,
    ANSWER_BYTES = 256 * 1024, /* of bodies in one long-poll answer */
    WRITE_BYTES = 32 * 1024,   /* handed to the wire at once */
    HEARTBEAT_MS = 15000,
};

static void continue_feed(struct hl_feed *feed);

void hl_feed_format_cursor(uint64_t epoch, uint64_t position, char out_text[HL_CURSOR_TEXT_SIZE])
{
    snprintf(out_text, HL_CURSOR_TEXT_SIZE, "%" PRIu64 ".%" PRIu64, epoch, position);
}

static uint64_t now_ms(const struct hl_feed *feed)
{
    return hl_clock_mono_ms(feed->api->config.clock);
}

/* Its exchange has been answered, ended, or is gone. */
static void close_feed(struct hl_feed *feed)
{
    HL_CHECK(feed->pending.exchange == NULL);
    if (hl_list_is_linked(&feed->link)) {
        hl_list_remove(&feed->link);
        feed->api->n_feeds--;
    }
    feed->is_over = true;
    if (feed->is_scanning)
        return;
    hl_pending_end(&feed->pending);
    free(feed);
}

static void forget_exchange(struct hl_exchange *exchange)
{
    struct hl_feed *feed = exchange->handler;
    feed->pending.exchange = NULL;
    close_feed(feed);
}

static void end_stream(struct hl_feed *feed)
{
    struct hl_exchange *exchange = hl_pending_take(&feed->pending);
    exchange->on_writable = NULL;
    exchange->ops->end(exchange);
    close_feed(feed);
}

static void answer_poll(struct hl_feed *feed, const struct hl_batch *batch, size_t n_entries,
                        bool has_more)
{
    struct hl_buffer body;
    char cursor[HL_CURSOR_TEXT_SIZE];
    hl_buffer_init(&body, HL_REPLY_BYTES_MAX);
    hl_buffer_append_text(&body, "{\"data\":[");
    for (size_t i = 0; i < n_entries; i++) {
        hl_feed_format_cursor(feed->epoch, batch->entries[i]->position, cursor);
        hl_buffer_append_text(&body, i > 0 ? "," : "");
        hl_present_entry(&body, batch->entries[i], cursor);
        feed->position = batch->entries[i]->position;
    }
    hl_feed_format_cursor(feed->epoch, feed->position, cursor);
    hl_buffer_printf(&body, "],\"next_cursor\":\"%s\",\"has_more\":%s}", cursor,
                     has_more ? "true" : "false");
    feed->api->stats.feed_events += n_entries;
    hl_reply_json(hl_pending_take(&feed->pending), 200, &body);
    hl_buffer_fini(&body);
    close_feed(feed);
}

static void append_event(struct hl_feed *feed, const struct hl_entry *entry, struct hl_buffer *out)
{
    char cursor[HL_CURSOR_TEXT_SIZE];
    hl_feed_format_cursor(feed->epoch, entry->position, cursor);
    hl_buffer_printf(out, "id: %s\ndata: ", cursor);
    hl_present_entry(out, entry, cursor);
    hl_buffer_append_text(out, "\n\n");
}

/* Writes as long as the peer takes it. What it does not take is read again later. */
static void write_stream(struct hl_feed *feed, const struct hl_batch *batch)
{
    struct hl_exchange *exchange = feed->pending.exchange;
    struct hl_buffer out;
    size_t i = 0;
    hl_buffer_init(&out, HL_REPLY_BYTES_MAX);
    while (i < batch->n_entries && exchange->ops->is_ready(exchange)) {
        hl_buffer_clear(&out);
        uint64_t position = feed->position;
        for (; i < batch->n_entries && out.size < WRITE_BYTES; i++) {
            append_event(feed, batch->entries[i], &out);
            position = batch->entries[i]->position;
            feed->api->stats.feed_events++;
        }
        if (hl_buffer_failed(&out))
            break;
        exchange->ops->write(exchange, hl_buffer_bytes(&out));
        feed->position = position;
        feed->due_ms = now_ms(feed) + HEARTBEAT_MS;
    }
    hl_buffer_fini(&out);
}

/* A page that begins right after the feed's position. May close the feed. */
static void deliver(struct hl_feed *feed, const struct hl_batch *batch, uint64_t head)
{
    if (feed->is_stream) {
        write_stream(feed, batch);
        return;
    }
    size_t n_entries = 0;
    for (size_t bytes = 0; n_entries < batch->n_entries && n_entries < feed->limit; n_entries++) {
        bytes += batch->entries[n_entries]->body_size;
        if (bytes > ANSWER_BYTES && n_entries > 0)
            break;
    }
    if (n_entries > 0)
        answer_poll(feed, batch, n_entries, batch->entries[n_entries - 1]->position < head);
}

static void fail_feed(struct hl_feed *feed, int r)
{
    if (feed->is_stream) {
        end_stream(feed); /* the client comes back with its last id */
        return;
    }
    hl_reply_log_problem(hl_pending_take(&feed->pending), r);
    close_feed(feed);
}

static void take_page(struct hl_log_scan *scan, int r)
{
    struct hl_feed *feed = HL_CONTAINER_OF(scan, struct hl_feed, scan);
    struct hl_batch *batch = r == 0 ? scan->batch : NULL;
    feed->is_scanning = false;
    if (feed->is_over) {
        close_feed(feed);
    } else if (r != 0) {
        fail_feed(feed, r);
    } else if (feed->is_stream) {
        uint64_t before = feed->position;
        deliver(feed, batch, scan->head);
        if (feed->position > before)
            continue_feed(feed);
    } else {
        deliver(feed, batch, scan->head);
    }
    hl_batch_unref(batch);
}

/* Reads the next page if there is one and it can be given out. */
static void continue_feed(struct hl_feed *feed)
{
    struct hl_exchange *exchange = feed->pending.exchange;
    if (feed->is_scanning || feed->position >= feed->api->head ||
        (feed->is_stream && !exchange->ops->is_ready(exchange)))
        return;
    feed->scan = (struct hl_log_scan){.loop = feed->api->config.loop,
                                      .done = take_page,
                                      .after = feed->position,
                                      .limit = feed->is_stream ? SCAN_ENTRIES : feed->limit,
                                      .bytes_max = SCAN_BYTES};
    feed->is_scanning = true;
    int r = hl_log_scan(feed->api->config.log, &feed->scan);
    if (r == 0)
        return;
    feed->is_scanning = false;
    if (r != HL_LOG_BUSY) /* busy: the next tick tries again */
        fail_feed(feed, r);
}

static void on_writable(struct hl_exchange *exchange)
{
    continue_feed(exchange->handler);
}

void hl_feeds_on_commit(struct hl_log_subscription *subscription, struct hl_batch *batch)
{
    struct hl_api *api = HL_CONTAINER_OF(subscription, struct hl_api, subscription);
    if (batch->n_entries == 0)
        return;
    uint64_t first = batch->entries[0]->position;
    uint64_t last = batch->entries[batch->n_entries - 1]->position;
    api->head = last > api->head ? last : api->head;
    for (struct hl_list *link = api->feeds.next, *next; link != &api->feeds; link = next) {
        struct hl_feed *feed = HL_CONTAINER_OF(link, struct hl_feed, link);
        next = link->next;
        if (!feed->is_scanning && feed->position + 1 == first)
            deliver(feed, batch, last);
        else
            continue_feed(feed);
    }
}

/* Roles and sites may have changed as well. */
static bool is_revoked(struct hl_feed *feed)
{
    return hl_directory_renew(feed->api->config.directory, &feed->who) != 0;
}

static void end_revoked(struct hl_feed *feed)
{
    if (feed->is_stream) {
        end_stream(feed);
        return;
    }
    hl_exchange_problem(hl_pending_take(&feed->pending), HL_PROBLEM_UNAUTHORIZED,
                        "The API key was revoked.");
    close_feed(feed);
}

static void tick_feed(struct hl_feed *feed, bool keys_changed, uint64_t now)
{
    struct hl_exchange *exchange = feed->pending.exchange;
    if (keys_changed && is_revoked(feed)) {
        end_revoked(feed);
    } else if (now < feed->due_ms || feed->is_scanning) {
        continue_feed(feed);
    } else if (!feed->is_stream) {
        answer_poll(feed, NULL, 0, false);
    } else if (exchange->ops->is_ready(exchange)) {
        feed->due_ms = now + HEARTBEAT_MS;
        exchange->ops->write(exchange, hl_bytes_of(":\n\n"));
    }
}

void hl_feeds_tick(struct hl_api *api)
{
    uint64_t now = hl_clock_mono_ms(api->config.clock);
    uint64_t version = hl_directory_version(api->config.directory);
    bool keys_changed = version != api->keys_version;
    api->keys_version = version;
    for (struct hl_list *link = api->feeds.next, *next; link != &api->feeds; link = next) {
        next = link->next;
        tick_feed(HL_CONTAINER_OF(link, struct hl_feed, link), keys_changed, now);
    }
}

void hl_feeds_drain(struct hl_api *api)
{
    while (!hl_list_is_empty(&api->feeds)) {
        struct hl_feed *feed = HL_CONTAINER_OF(api->feeds.next, struct hl_feed, link);
        if (feed->is_stream)
            end_stream(feed);
        else
            answer_poll(feed, NULL, 0, false);
    }
}

static void begin_stream(struct hl_feed *feed)
{
    struct hl_exchange *exchange = feed->pending.exchange;
    char cursor[HL_CURSOR_TEXT_SIZE];
    char head[HL_CURSOR_TEXT_SIZE + 32];
    hl_feed_format_cursor(feed->epoch, feed->position, cursor);
    /* An id without data fires no event, but a client that reconnects before the first one
     * sends it: nothing can be missed from the first byte on. */
    int size = snprintf(head, sizeof(head), "retry: 2000\nid: %s\n\n", cursor);
    exchange->on_writable = on_writable;
    hl_reply_add_text(exchange, "cache-control", "no-store");
    exchange->ops->stream(exchange, 200, "text/event-stream");
    exchange->ops->write(exchange, (struct hl_bytes){head, (size_t)size});
    feed->due_ms = now_ms(feed) + HEARTBEAT_MS;
}

void hl_feed_open(struct hl_api *api, struct hl_exchange *exchange, const struct hl_feed *wish)
{
    struct hl_feed *feed = malloc(sizeof(*feed));
    if (feed == NULL) {
        hl_reply_log_problem(exchange, HL_LOG_BUSY);
        return;
    }
    *feed = *wish;
    feed->api = api;
    feed->link = (struct hl_list){0};
    hl_pending_begin(&feed->pending, &api->pending, exchange);
    exchange->on_gone = forget_exchange;
    hl_list_add(&api->feeds, &feed->link);
    api->n_feeds++;
    if (feed->is_stream)
        begin_stream(feed);
    if (!feed->is_stream && feed->position >= api->head && feed->due_ms <= now_ms(feed))
        answer_poll(feed, NULL, 0, false);
    else
        continue_feed(feed);
}
