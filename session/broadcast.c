#include "session/broadcast.h"

#include <string.h>

#include "base/check.h"
#include "session/frame_text.h"
#include "session/hub_private.h"
#include "session/publish.h"
#include "session/session.h"

#define NO_ITEM UINT32_MAX

enum { ENTRY_OVERHEAD = 320 };

void hl_group_init(struct hl_group *group)
{
    hl_list_init(&group->touched);
    hl_buffer_init(&group->text, HL_OUTBOX_SIZE_MAX);
    group->batch = NULL;
    group->n_items = 0;
}

void hl_group_fini(struct hl_group *group)
{
    HL_CHECK(hl_list_is_empty(&group->touched));
    hl_buffer_fini(&group->text);
}

void hl_group_touch(struct hl_hub *hub, struct hl_session *session)
{
    if (!hl_list_is_linked(&session->touched))
        hl_list_add(&hub->group.touched, &session->touched);
}

void hl_group_forget(struct hl_session *session)
{
    hl_list_remove(&session->touched);
    session->first_item = NO_ITEM;
    session->last_item = NO_ITEM;
}

/* ---- writing ---- */

/* The entry's text for that kind of session, made when the first one asks for it. */
static struct hl_bytes find_text(struct hl_hub *hub, uint32_t at, bool to_visitor)
{
    struct hl_group *group = &hub->group;
    const struct hl_entry *entry = group->batch->entries[at];
    /* what is open to all has one text */
    bool differs = to_visitor && !hl_entry_is_open_to_visitors(entry);
    struct hl_span *span = &group->spans[at - group->first][differs];

    if (span->size == 0) {
        span->start = group->text.size;
        char name[HL_NAME_SIZE_MAX + 1];
        hl_hub_name_author(hub, &entry->author, name);
        hl_frame_text_msg(&group->text, entry, hub->epoch, to_visitor, name);
        span->size = group->text.size - span->start;
    }
    return (struct hl_bytes){group->text.data + span->start, span->size};
}

static void write_item(struct hl_session *session, const struct hl_item *item)
{
    if (item->own != NULL) {
        hl_publish_write_ok(item->own, item->after);
        return;
    }
    struct hl_bytes text = find_text(session->hub, item->entry, hl_session_is_visitor(session));
    struct hl_buffer *out = hl_session_frame(session);
    hl_buffer_append_bytes(out, text);
    hl_frame_text_msg_end(out, item->after);
    if (hl_buffer_failed(&session->hub->group.text))
        out->failed = true;
}

static void write_items(struct hl_session *session)
{
    const struct hl_group *group = &session->hub->group;

    for (uint32_t at = session->first_item; at != NO_ITEM; at = group->items[at].next)
        write_item(session, &group->items[at]);
    session->first_item = NO_ITEM;
    session->last_item = NO_ITEM;
}

static void clear_texts(struct hl_group *group, size_t first)
{
    group->n_items = 0;
    group->first = first;
    hl_buffer_clear(&group->text);
    size_t n_spans = group->batch->n_entries - first;
    if (n_spans > HL_GROUP_ENTRIES)
        n_spans = HL_GROUP_ENTRIES;
    memset(group->spans, 0, n_spans * sizeof(group->spans[0]));
}

/* Makes room in the middle of a large group. The sessions stay touched. */
static void flush_items(struct hl_hub *hub, size_t first)
{
    struct hl_group *group = &hub->group;
    struct hl_list *next;

    for (struct hl_list *at = group->touched.next; at != &group->touched; at = next) {
        struct hl_session *session = HL_CONTAINER_OF(at, struct hl_session, touched);
        next = at->next;
        if (session->first_item == NO_ITEM)
            continue;
        write_items(session);
        if (session->link != NULL)
            hl_session_flush(session);
    }
    clear_texts(group, first);
}

static void finish_session(struct hl_session *session)
{
    hl_list_remove(&session->touched);
    write_items(session);
    session->gathered_bytes = 0;
    hl_publish_write_results(session);
    hl_subscription_pump_all(session);
    hl_session_flush(session);
    hl_session_consider_erased(session);
}

/* ---- gathering ---- */

static void add_item(struct hl_session *session, uint32_t entry, int64_t after,
                     struct hl_publish *own)
{
    struct hl_group *group = &session->hub->group;
    uint32_t at = (uint32_t)group->n_items++;

    group->items[at] =
        (struct hl_item){.entry = entry, .next = NO_ITEM, .after = after, .own = own};
    if (session->last_item == NO_ITEM)
        session->first_item = at;
    else
        group->items[session->last_item].next = at;
    session->last_item = at;
    session->gathered_bytes += group->batch->entries[entry]->body_size + ENTRY_OVERHEAD;
}

/* The conversation went to an inbox that the agent does not have. */
static bool is_moved_away(const struct hl_session *session, const struct hl_entry *entry)
{
    struct hl_conversation moved = {.inbox = entry->subject};

    if (entry->kind != HL_ENTRY_MOVED || hl_session_is_visitor(session))
        return false;
    _Static_assert(sizeof(moved.site) == sizeof(entry->place.site), "same bound");
    memcpy(moved.site, entry->place.site, sizeof(moved.site));
    return !hl_session_sees(session, &moved);
}

static void offer_entry(struct hl_subscription *subscription, uint32_t entry)
{
    struct hl_session *session = subscription->session;
    struct hl_hub *hub = session->hub;
    const struct hl_entry *committed = hub->group.batch->entries[entry];
    struct hl_publish *own = hl_publish_find_own(session, committed);
    bool was_level = subscription->state == HL_SUBSCRIPTION_LEVEL;
    int64_t after;

    if (is_moved_away(session, committed)) { /* attached again, it follows all the others */
        hl_session_bye(session, HL_PROBLEM_SESSION_EXPIRED, "A conversation went out of sight.");
        return;
    }
    if (hl_subscription_offer(subscription, committed, own != NULL, &after))
        add_item(session, entry, after, own);
    else if (!was_level || subscription->state == HL_SUBSCRIPTION_LEVEL)
        return; /* reads on by itself, or the entry is not for it */
    if (session->state == HL_SESSION_LIVE || session->state == HL_SESSION_POLLED)
        hl_group_touch(hub, session);
}

static void gather_entry(struct hl_hub *hub, uint32_t entry)
{
    const struct hl_id *conversation = &hub->group.batch->entries[entry]->conversation;
    struct hl_id_node *next;

    for (struct hl_id_node *node = hl_id_map_find(&hub->subscriptions, conversation); node != NULL;
         node = next) {
        next = hl_id_map_next(&hub->subscriptions, node);
        offer_entry(HL_CONTAINER_OF(node, struct hl_subscription, by_conversation), entry);
        if (hub->group.n_items < HL_GROUP_ITEMS && hub->group.text.size <= HL_GROUP_TEXT_MAX)
            continue;
        flush_items(hub, entry);
        /* without memory sessions ended in it, perhaps the next one's: from the start again,
         * who was offered the entry lets it pass by */
        if (!hl_list_is_empty(&hub->ended))
            next = hl_id_map_find(&hub->subscriptions, conversation);
    }
}

void hl_broadcast_on_commit(struct hl_log_subscription *commits, struct hl_batch *batch)
{
    struct hl_hub *hub = HL_CONTAINER_OF(commits, struct hl_hub, commits);
    struct hl_group *group = &hub->group;

    group->batch = batch;
    clear_texts(group, 0);
    for (size_t i = 0; i < batch->n_entries; i++) {
        if (i - group->first == HL_GROUP_ENTRIES)
            flush_items(hub, i);
        gather_entry(hub, (uint32_t)i);
    }
    while (!hl_list_is_empty(&group->touched))
        finish_session(HL_CONTAINER_OF(group->touched.next, struct hl_session, touched));
    group->batch = NULL;
    hl_hub_sweep(hub);
    hl_hub_consider_end(hub);
}
