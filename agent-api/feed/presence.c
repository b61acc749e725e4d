#include "agent-api/feed/presence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent-api/call.h"
#include "agent-api/feed/places.h"
#include "agent-api/feed/presence_table.h"
#include "agent-api/online.h"
#include "agent-api/permission.h"
#include "agent-api/present.h"

enum { OBJECT_BYTES = 512, LINGER_MS = 5000 };

/* -- from signals to feeds -- */

static const char *name_of(const struct hl_signal *signal)
{
    switch (signal->kind) {
    case HL_SIGNAL_TYPING:
        return "typing";
    case HL_SIGNAL_VIEWING:
        return "viewing";
    case HL_SIGNAL_ONLINE:
        return "online";
    case HL_SIGNAL_PRESENCE:
        return "present";
    default:
        return NULL;
    }
}

static void append_object(struct hl_buffer *out, const struct hl_signal *signal)
{
    char conversation[HL_ID_TEXT_SIZE];
    hl_buffer_printf(
        out, "{\"what\":\"%s\",\"on\":%s,\"from\":{\"role\":\"%s\",\"id\":", name_of(signal),
        signal->is_on ? "true" : "false", hl_role_name((enum hl_role)signal->from.role));
    hl_present_author_id(out, &signal->from);
    hl_buffer_append_text(out, "},\"conversation\":");
    hl_id_format(&signal->conversation, HL_ID_CONVERSATION, conversation);
    hl_buffer_printf(out, hl_id_is_zero(&signal->conversation) ? "null" : "\"%s\"", conversation);
    if (signal->is_on && signal->kind == HL_SIGNAL_TYPING)
        hl_buffer_printf(out, ",\"expires_in_ms\":%d", HL_TYPING_MS);
    if (signal->is_on && signal->kind == HL_SIGNAL_VIEWING)
        hl_buffer_printf(out, ",\"expires_in_ms\":%d", HL_VIEWING_MS);
    hl_buffer_append_text(out, "}");
}

/* Who is there is no secret among agents of a site, or of all sites; of another's they learn
 * nothing. */
static bool wants_signal(const struct hl_feed *feed, const struct hl_signal *signal,
                         const struct hl_place *place)
{
    if (!feed->has_presence || !feed->is_open || hl_id_equal(&feed->who.id, &signal->from.id))
        return false;
    if (signal->kind == HL_SIGNAL_ONLINE)
        return place->site[0] == '\0' || hl_principal_sees_site(&feed->who, place->site);
    return hl_feed_wants(feed, place, &signal->conversation);
}

static void tell_feeds(struct hl_api *api, const struct hl_signal *signal,
                       const struct hl_place *place)
{
    struct hl_buffer object;
    hl_buffer_init(&object, OBJECT_BYTES);
    append_object(&object, signal);
    for (struct hl_list *link = api->feeds.next, *next; link != &api->feeds; link = next) {
        struct hl_feed *feed = HL_CONTAINER_OF(link, struct hl_feed, link);
        next = link->next;
        if (!hl_buffer_failed(&object) && wants_signal(feed, signal, place))
            (void)feed->transport->tell(feed, hl_buffer_bytes(&object));
    }
    hl_buffer_fini(&object);
}

/* The place of an agent is their site; "": all. */
static void tell_online(struct hl_api *api, const struct hl_signal *signal)
{
    struct hl_place place = {.site = ""};
    struct hl_directory_snapshot *snapshot = hl_directory_snapshot(api->config.directory);
    const struct hl_agent *agent = hl_snapshot_agent(snapshot, &signal->from.id);
    _Static_assert(sizeof(place.site) == sizeof(agent->record.site), "same bound");
    if (agent != NULL)
        memcpy(place.site, agent->record.site, sizeof(place.site));
    hl_directory_snapshot_unref(snapshot);
    tell_feeds(api, signal, &place);
}

/* A look for where a conversation belongs, with the signal that waits for it. */
struct look {
    struct hl_pending pending; /* without an exchange: it keeps the API here */
    struct hl_api *api;
    struct hl_signal signal;
    struct hl_log_find find;
};

static void take_place(struct hl_log_find *find, int r)
{
    struct look *look = HL_CONTAINER_OF(find, struct look, find);
    if (r == 0) {
        struct hl_place place = hl_conversation_place(&find->found);
        hl_places_learn(&look->api->places, &find->conversation, &place);
        tell_feeds(look->api, &look->signal, &place);
    }
    look->api->n_looks--;
    hl_pending_end(&look->pending);
    free(look);
}

static void look_up(struct hl_api *api, const struct hl_signal *signal)
{
    enum { LOOKS_MAX = 16 };
    struct look *look = api->n_looks < LOOKS_MAX ? calloc(1, sizeof(*look)) : NULL;
    if (look == NULL)
        return;
    look->api = api;
    look->signal = *signal;
    look->find = (struct hl_log_find){
        .loop = api->config.loop, .done = take_place, .conversation = signal->conversation};
    if (hl_log_find(api->config.log, &look->find) != 0) {
        free(look);
        return;
    }
    api->n_looks++;
    look->pending.set = &api->pending;
    api->pending.n_pending++;
}

void hl_presence_on_signal(struct hl_registry_member *member, const struct hl_signal *signal)
{
    struct hl_api *api = HL_CONTAINER_OF(member, struct hl_api, member);
    if (name_of(signal) == NULL || hl_list_is_empty(&api->feeds) || !hl_id_is_zero(&signal->target))
        return;
    if (signal->kind == HL_SIGNAL_ONLINE) {
        tell_online(api, signal);
        return;
    }
    const struct hl_place *known = hl_places_find(&api->places, &signal->conversation);
    if (known != NULL) {
        struct hl_place place = *known;
        tell_feeds(api, signal, &place);
    } else {
        look_up(api, signal);
    }
}

/* -- from agents to signals -- */

static void tell_all(struct hl_api *api, enum hl_signal_kind kind, const struct hl_id *agent,
                     const struct hl_id *conversation, bool is_on)
{
    struct hl_signal signal = {.kind = kind,
                               .conversation = *conversation,
                               .from = {.role = HL_ROLE_AGENT, .id = *agent},
                               .is_on = is_on};
    hl_registry_tell(api->config.registry, &signal);
}

static const struct hl_id none;

void hl_presence_enter(struct hl_api *api, const struct hl_id *agent)
{
    bool was_there = hl_online_has(api->config.online, agent);
    hl_online_enter(api->config.online, agent);
    if (!was_there)
        tell_all(api, HL_SIGNAL_ONLINE, agent, &none, true);
}

static void leave_now(struct hl_api *api, const struct hl_id *agent)
{
    hl_online_leave(api->config.online, agent);
    if (!hl_online_has(api->config.online, agent))
        tell_all(api, HL_SIGNAL_ONLINE, agent, &none, false);
}

/* An agent who comes back soon, with the next poll or after a reconnect, was never away. */
struct leaving {
    struct hl_list link;
    struct hl_id agent;
    uint64_t due_ms;
};

void hl_presence_leave(struct hl_api *api, const struct hl_id *agent)
{
    struct leaving *leaving = calloc(1, sizeof(*leaving));
    if (leaving == NULL) {
        leave_now(api, agent);
        return;
    }
    leaving->agent = *agent;
    leaving->due_ms = hl_clock_mono_ms(api->config.clock) + LINGER_MS;
    hl_list_add(&api->leaving, &leaving->link);
}

void hl_presence_let_go(struct hl_api *api, uint64_t now_ms)
{
    while (!hl_list_is_empty(&api->leaving)) {
        struct leaving *leaving = HL_CONTAINER_OF(api->leaving.next, struct leaving, link);
        if (leaving->due_ms > now_ms)
            break;
        hl_list_remove(&leaving->link);
        leave_now(api, &leaving->agent);
        free(leaving);
    }
}

void hl_presence_show(struct hl_feed *feed)
{
    struct hl_presence_item *items = calloc(HL_PRESENCE_MAX, sizeof(*items));
    struct hl_buffer object;
    size_t n =
        items != NULL ? hl_presence_list(feed->api->config.presence, items, HL_PRESENCE_MAX) : 0;
    bool is_open = true;
    hl_buffer_init(&object, OBJECT_BYTES);
    for (size_t i = 0; i < n && is_open; i++) {
        struct hl_signal signal = {.kind = items[i].typing_until_ms > 0 ? HL_SIGNAL_TYPING
                                                                        : HL_SIGNAL_VIEWING,
                                   .conversation = items[i].conversation,
                                   .from = {.role = HL_ROLE_AGENT, .id = items[i].agent},
                                   .is_on = true};
        if (!wants_signal(feed, &signal, &items[i].place))
            continue;
        hl_buffer_clear(&object);
        append_object(&object, &signal);
        is_open = feed->transport->tell(feed, hl_buffer_bytes(&object));
    }
    hl_buffer_fini(&object);
    free(items);
}

void hl_presence_tick(struct hl_api *api)
{
    struct hl_presence_item over;
    uint64_t now_ms = hl_clock_mono_ms(api->config.clock);
    hl_presence_let_go(api, now_ms);
    while (hl_presence_expire(api->config.presence, now_ms, &over)) {
        if (over.viewing_until_ms > 0)
            tell_all(api, HL_SIGNAL_VIEWING, &over.agent, &over.conversation, false);
        if (over.typing_until_ms > 0)
            tell_all(api, HL_SIGNAL_TYPING, &over.agent, &over.conversation, false);
    }
}

/* An optional member true or false; `*out_until_ms` stays without it. False: answered. */
static bool read_state(struct hl_exchange *exchange, const json_t *object, const char *name,
                       uint64_t on_until_ms, uint64_t *out_until_ms)
{
    const json_t *value = json_object_get(object, name);
    char pointer[32];
    if (value == NULL)
        return true;
    if (json_is_boolean(value)) {
        *out_until_ms = json_is_true(value) ? on_until_ms : 0;
        return true;
    }
    snprintf(pointer, sizeof(pointer), "/%s", name);
    hl_reply_invalid(exchange, pointer, "%s is true or false.", name);
    return false;
}

static void tell_state(struct hl_call *call, enum hl_signal_kind kind, uint64_t before_ms,
                       uint64_t until_ms)
{
    if (before_ms != 0 || until_ms != 0)
        tell_all(call->api, kind, &call->who.id, &call->conversation.id, until_ms != 0);
}

static void put_presence(struct hl_call *call, struct hl_exchange *exchange)
{
    uint64_t now_ms = hl_clock_mono_ms(call->api->config.clock);
    struct hl_presence_item item = {.agent = call->who.id,
                                    .conversation = call->conversation.id,
                                    .place = hl_conversation_place(&call->conversation)};
    json_t *object = NULL;
    if (!hl_api_may(&call->who, exchange, HL_PERMISSION_CONVERSATION_WORK) ||
        !hl_reply_read_object(exchange, &object))
        return;
    (void)hl_presence_get(call->api->config.presence, &item.agent, &item.conversation, &item);
    struct hl_presence_item before = item;
    if (read_state(exchange, object, "viewing", now_ms + HL_VIEWING_MS, &item.viewing_until_ms) &&
        read_state(exchange, object, "typing", now_ms + HL_TYPING_MS, &item.typing_until_ms)) {
        (void)hl_presence_put(call->api->config.presence, &item);
        if (json_object_get(object, "viewing") != NULL)
            tell_state(call, HL_SIGNAL_VIEWING, before.viewing_until_ms, item.viewing_until_ms);
        if (json_object_get(object, "typing") != NULL)
            tell_state(call, HL_SIGNAL_TYPING, before.typing_until_ms, item.typing_until_ms);
        exchange->ops->answer(exchange, 204, NULL, (struct hl_bytes){0});
    }
    json_decref(object);
}

void hl_conversation_presence_put(void *arg, struct hl_exchange *exchange,
                                  const struct hl_route_params *params)
{
    hl_call_open(arg, exchange, params, sizeof(struct hl_call), put_presence);
}
