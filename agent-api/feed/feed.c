#include "agent-api/feed/feed.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent-api/audit/memory.h"
#include "agent-api/feed/presence.h"
#include "base/check.h"

enum {
    SCAN_ENTRIES = 256,
    SCAN_BYTES = 64 * 1024,
    FEEDS_A_TURN = 8,
    FEEDS_AT_ONCE = 16, /* more of them wait for a round, so that each is one write */
    FEEDS_A_MS = 4,     /* of that wait, which is between: */
    ROUND_MS_MIN = 20,
    ROUND_MS_MAX = 50,
    WAITING_MAX = HL_RECENT_BATCHES / 2, /* then the wait is over */
};

uint64_t hl_feed_now(const struct hl_feed *feed)
{
    return hl_clock_mono_ms(feed->api->config.clock);
}

void hl_feed_close(struct hl_feed *feed)
{
    HL_CHECK(feed->pending.exchange == NULL);
    if (hl_list_is_linked(&feed->link)) {
        hl_list_remove(&feed->link);
        feed->api->n_feeds--;
        if (feed->is_open)
            hl_presence_leave(feed->api, &feed->who.id);
        else
            feed->api->n_strangers--;
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
    hl_feed_close(feed);
}

static void fail_feed(struct hl_feed *feed, enum hl_problem_code code, const char *detail)
{
    struct hl_problem problem = {.code = code, .detail = hl_bytes_of(detail)};
    feed->transport->fail(feed, &problem);
}

/* -- what is for whom -- */

bool hl_feed_wants(const struct hl_feed *feed, const struct hl_place *place,
                   const struct hl_id *conversation)
{
    const struct hl_feed_filter *filter = &feed->filter;
    if (!hl_id_is_zero(&filter->conversation) && !hl_id_equal(&filter->conversation, conversation))
        return false;
    if (filter->site[0] != '\0' && strcmp(filter->site, place->site) != 0)
        return false;
    if (!hl_id_is_zero(&filter->inbox) && !hl_id_equal(&filter->inbox, &place->inbox))
        return false;
    return hl_principal_sees(&feed->who, place->site, &place->inbox);
}

/* That a conversation went to another inbox is told to all of its site: those it went away from
 * must take it off their lists. The entry holds ids only. */
static bool wants_move(const struct hl_feed *feed, const struct hl_entry *entry)
{
    const struct hl_feed_filter *filter = &feed->filter;
    if (!hl_id_is_zero(&filter->conversation) &&
        !hl_id_equal(&filter->conversation, &entry->conversation))
        return false;
    return (filter->site[0] == '\0' || strcmp(filter->site, entry->place.site) == 0) &&
           hl_principal_sees_site(&feed->who, entry->place.site);
}

static bool wants_entry(const struct hl_feed *feed, const struct hl_entry *entry)
{
    if (entry->kind == HL_ENTRY_MOVED)
        return wants_move(feed, entry);
    return hl_feed_wants(feed, &entry->place, &entry->conversation);
}

const struct hl_entry *hl_feed_next(const struct hl_feed *feed, const struct hl_batch *batch,
                                    size_t *i, uint64_t *out_passed)
{
    while (*i < batch->n_entries) {
        const struct hl_entry *entry = batch->entries[(*i)++];
        if (entry->position <= feed->position)
            continue;
        if (wants_entry(feed, entry))
            return entry;
        *out_passed = entry->position;
    }
    return NULL;
}

/* -- moving through the log -- */

/* Entries were trimmed that the reader has not seen: it must learn of it. */
static void expire_feed(struct hl_feed *feed, uint64_t position)
{
    char resync[HL_CURSOR_TEXT_SIZE];
    char extra[HL_CURSOR_TEXT_SIZE + 32];
    hl_feed_format_cursor(feed->epoch, position, resync);
    snprintf(extra, sizeof(extra), "\"resync_from\":\"%s\"", resync);
    struct hl_problem problem = {
        .code = HL_PROBLEM_CURSOR_EXPIRED,
        .detail = hl_bytes_of("Events after the cursor are kept no more. List the conversations, "
                              "then read from resync_from on."),
        .extra = hl_bytes_of(extra)};
    feed->transport->fail(feed, &problem);
}

/* Whether a page goes on where the feed stands. Positions are dense but for trimmed entries. */
static bool is_seamless(struct hl_feed *feed, const struct hl_batch *batch, uint64_t head)
{
    uint64_t first = batch->n_entries > 0 ? batch->entries[0]->position : head + 1;
    if (first == feed->position + 1)
        return true;
    if (!feed->from_start)
        return false;
    feed->position = first - 1;
    return true;
}

/* A batch up to the first hole in it, which the next page will begin with. */
static size_t count_seamless(const struct hl_batch *batch)
{
    size_t n = batch->n_entries > 0 ? 1 : 0;
    while (n < batch->n_entries &&
           batch->entries[n]->position == batch->entries[n - 1]->position + 1)
        n++;
    return n;
}

static void take_seamless(struct hl_feed *feed, struct hl_batch *batch, uint64_t head)
{
    uint64_t before = feed->position;
    struct hl_batch *part = batch;
    size_t n = feed->from_start ? batch->n_entries : count_seamless(batch);
    if (n < batch->n_entries) {
        part = hl_batch_create(batch->epoch, n);
        if (part == NULL)
            return; /* the next tick reads it again */
        for (size_t i = 0; i < n; i++)
            part->entries[i] = hl_entry_ref(batch->entries[i]);
    }
    if (feed->transport->deliver(feed, part, head) && feed->position > before)
        hl_feed_continue(feed);
    if (part != batch)
        hl_batch_unref(part);
}

static void take_page(struct hl_log_scan *scan, int r)
{
    struct hl_feed *feed = HL_CONTAINER_OF(scan, struct hl_feed, scan);
    struct hl_batch *batch = r == 0 ? scan->batch : NULL;
    uint64_t head = scan->head;
    feed->is_scanning = false;
    if (feed->is_over)
        hl_feed_close(feed);
    else if (r != 0)
        fail_feed(feed, HL_PROBLEM_UNAVAILABLE, "The log cannot be read; come back.");
    else if (!is_seamless(feed, batch, head))
        expire_feed(feed, batch->n_entries > 0 ? batch->entries[0]->position - 1 : head);
    else
        take_seamless(feed, batch, head);
    hl_batch_unref(batch);
}

static void scan_on(struct hl_feed *feed)
{
    feed->scan = (struct hl_log_scan){.loop = feed->api->config.loop,
                                      .done = take_page,
                                      .after = feed->position,
                                      .limit = SCAN_ENTRIES,
                                      .bytes_max = SCAN_BYTES};
    feed->is_scanning = true;
    int r = hl_log_scan(feed->api->config.log, &feed->scan);
    if (r == 0)
        return;
    feed->is_scanning = false;
    if (r != HL_LOG_BUSY) /* busy: the next tick tries again */
        fail_feed(feed, HL_PROBLEM_UNAVAILABLE, "The log cannot be read; come back.");
}

static bool can_go_on(struct hl_feed *feed, uint64_t head)
{
    return !feed->is_scanning && feed->position < head && feed->transport->is_ready(feed);
}

static void plan_round(struct hl_api *api);

/* What is in memory is given out by the next round. */
void hl_feed_continue(struct hl_feed *feed)
{
    if (!can_go_on(feed, feed->api->head))
        return;
    if (hl_recent_find(&feed->api->recent, feed->position + 1) != NULL)
        plan_round(feed->api);
    else
        scan_on(feed);
}

/* -- in turns -- */

/* Up to where the round goes: what came since is for the next one. May close the feed. */
static void serve_feed(struct hl_feed *feed)
{
    const struct hl_batch *batch = NULL;
    uint64_t before = 0;
    do {
        before = feed->position;
        if (!can_go_on(feed, feed->api->round_head))
            return;
        batch = hl_recent_find(&feed->api->recent, before + 1);
        if (batch != NULL && !feed->transport->deliver(feed, batch, feed->api->head))
            return;
    } while (batch != NULL && feed->position > before);
    if (batch == NULL)
        scan_on(feed);
}

static void want_turn(struct hl_api *api);

/* Some feeds at a time, so that chat goes on between: a round is over when each that was there
 * had its turn. */
static void take_turn(struct hl_task *task)
{
    struct hl_api *api = HL_CONTAINER_OF(task, struct hl_api, turn);
    api->is_turn_posted = false;
    for (int i = 0; i < FEEDS_A_TURN && !hl_list_is_empty(&api->feeds); i++) {
        struct hl_feed *feed = HL_CONTAINER_OF(api->feeds.next, struct hl_feed, link);
        if (feed->round == api->round)
            break;
        feed->round = api->round;
        hl_list_remove(&feed->link);
        hl_list_add(&api->feeds, &feed->link);
        serve_feed(feed);
    }
    if (!hl_list_is_empty(&api->feeds) &&
        HL_CONTAINER_OF(api->feeds.next, struct hl_feed, link)->round != api->round)
        want_turn(api);
    else if (api->round_head < api->head)
        plan_round(api);
    hl_pending_end(&api->turning);
}

static void want_turn(struct hl_api *api)
{
    if (api->is_turn_posted)
        return;
    api->is_turn_posted = true;
    api->turn.run = take_turn;
    api->turning.set = &api->pending;
    api->pending.n_pending++;
    hl_loop_post(api->config.loop, &api->turn);
}

static void begin_round(struct hl_api *api)
{
    hl_recent_join(&api->recent, api->round_head + 1);
    api->round++;
    api->round_head = api->head;
    api->n_waiting = 0;
    want_turn(api);
}

static void end_delay(struct hl_task *task)
{
    struct hl_api *api = HL_CONTAINER_OF(task, struct hl_api, round_delay.task);
    api->is_round_delayed = false;
    if (!api->is_turn_posted && !hl_list_is_empty(&api->feeds))
        begin_round(api);
    hl_pending_end(&api->delaying);
}

/* While a round goes on, the next one waits, and with many feeds some time more: what is
 * committed meanwhile goes out together. */
static void plan_round(struct hl_api *api)
{
    uint32_t after_ms = api->n_feeds / FEEDS_A_MS;
    if (api->is_turn_posted || hl_list_is_empty(&api->feeds))
        return;
    if (api->n_feeds < FEEDS_AT_ONCE || api->n_waiting >= WAITING_MAX) {
        begin_round(api);
        return;
    }
    if (api->is_round_delayed)
        return;
    after_ms = after_ms < ROUND_MS_MIN ? ROUND_MS_MIN : after_ms;
    api->is_round_delayed = true;
    api->round_delay.task.run = end_delay;
    api->delaying.set = &api->pending;
    api->pending.n_pending++;
    hl_loop_delay(api->config.loop, &api->round_delay,
                  after_ms < ROUND_MS_MAX ? after_ms : ROUND_MS_MAX);
}

void hl_feeds_on_commit(struct hl_log_subscription *subscription, struct hl_batch *batch)
{
    struct hl_api *api = HL_CONTAINER_OF(subscription, struct hl_api, subscription);
    if (batch->n_entries == 0)
        return;
    uint64_t last = batch->entries[batch->n_entries - 1]->position;
    api->head = last > api->head ? last : api->head;
    for (size_t i = 0; i < batch->n_entries; i++)
        hl_places_learn(&api->places, &batch->entries[i]->conversation, &batch->entries[i]->place);
    if (hl_list_is_empty(&api->feeds))
        hl_recent_pass(&api->recent, batch);
    else
        hl_recent_add(&api->recent, batch);
    api->n_waiting++;
    plan_round(api);
}

/* -- from outside -- */

static void tick_feed(struct hl_feed *feed, bool keys_changed, uint64_t now)
{
    if (keys_changed && feed->is_open &&
        hl_directory_renew(feed->api->config.directory, &feed->who) != 0)
        fail_feed(feed, HL_PROBLEM_UNAUTHORIZED, "The API key was revoked.");
    else if (now >= feed->due_ms && !feed->is_scanning)
        feed->transport->due(feed);
    else
        hl_feed_continue(feed);
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
        feed->transport->drain(feed);
    }
}

/* Once per opening; of polls, which open again and again, once a minute. */
static void note_opening(const struct hl_feed *feed)
{
    static const struct hl_id feeds = {.b = "the event feeds"};
    bool is_poll = feed->transport == &hl_feed_poll;
    const struct hl_audit_event event = {.action = "feed.opened", .site = feed->who.site};
    if (is_poll && hl_audit_memory_has(feed->api, &feed->who.id, &feeds, event.action))
        return;
    hl_audit_memory_keep(feed->api, &feed->who.id, &feeds, event.action);
    hl_audit_note(feed->api, feed->pending.exchange, &feed->who, &event);
}

void hl_feed_enter(struct hl_feed *feed)
{
    note_opening(feed);
    feed->is_open = true;
    feed->api->n_strangers--;
    hl_presence_enter(feed->api, &feed->who.id);
    if (feed->has_presence && feed->transport != &hl_feed_poll)
        hl_presence_show(feed); /* each poll would be answered by the same again */
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
    api->n_strangers++;
    feed->transport->begin(feed);
}
