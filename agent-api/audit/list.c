/* GET /v1/audit: newest first, filtered. The audit log is read backwards by windows of positions,
 * until the page is full or its time is over: then the cursor says where to go on. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent-api/call.h"
#include "agent-api/page.h"
#include "base/moment.h"

enum {
    WINDOW = 256,
    LOOK_MS = 2000,
    WINDOW_BYTES = 4 * 1024 * 1024,
    LIMIT_DEFAULT = 50,
    LIMIT_MAX = 200,
};

struct audit_list {
    struct hl_call call; /* first */
    struct hl_log_scan scan;
    char site[HL_SITE_SIZE_MAX + 1];
    char actor[HL_ID_TEXT_SIZE];
    char action[64];
    char conversation[HL_ID_TEXT_SIZE];
    int64_t since_ms; /* 0: any */
    int64_t until_ms;
    uint64_t limit;
    uint64_t before;        /* positions below are still to be looked at */
    uint64_t until_mono_ms; /* to look for more */
    uint64_t n_items;
    bool is_over;
    struct hl_buffer body;
};

static void clean_list(struct hl_call *call)
{
    hl_buffer_fini(&HL_CONTAINER_OF(call, struct audit_list, call)->body);
}

static bool has_text(const json_t *object, const char *name, const char *wanted)
{
    const char *text = json_string_value(json_object_get(object, name));
    return wanted[0] == '\0' || (text != NULL && strcmp(text, wanted) == 0);
}

/* Most of what is not wanted need not be parsed: ids and actions stand in it as they are. */
static bool mentions(struct hl_bytes body, const char *wanted)
{
    return memmem(body.data, body.size, wanted, strlen(wanted)) != NULL;
}

static bool may_be_wanted(const struct audit_list *list, const struct hl_entry *entry)
{
    struct hl_bytes body = hl_entry_body(entry);
    return (list->since_ms == 0 || entry->wall_ms >= list->since_ms) &&
           (list->until_ms == 0 || entry->wall_ms < list->until_ms) &&
           mentions(body, list->actor) && mentions(body, list->conversation);
}

/* An agent's id, or "operator": who has the command line has no id. */
static bool has_actor(const json_t *actor, const char *wanted)
{
    return json_object_get(actor, "id") != NULL ? has_text(actor, "id", wanted)
                                                : has_text(actor, "role", wanted);
}

static bool is_wanted(const struct audit_list *list, const struct hl_entry *entry)
{
    json_t *body = NULL;
    const struct hl_principal *who = &list->call.who;
    if (!may_be_wanted(list, entry) || hl_json_parse(hl_entry_body(entry), NULL, 0, &body) != 0)
        return false;
    bool is_good = has_text(body, "site", who->site) && has_text(body, "site", list->site) &&
                   has_text(body, "action", list->action) &&
                   has_text(body, "conversation", list->conversation) &&
                   has_actor(json_object_get(body, "actor"), list->actor);
    json_decref(body);
    return is_good;
}

static void append_entry(struct audit_list *list, const struct hl_entry *entry)
{
    struct hl_bytes body = hl_entry_body(entry);
    hl_buffer_printf(&list->body, "%s{\"position\":%" PRIu64 ",\"ts\":\"",
                     list->n_items++ > 0 ? "," : "", entry->position);
    hl_moment_append(&list->body, entry->wall_ms);
    hl_buffer_append_text(&list->body, "\",");
    hl_buffer_append(&list->body, body.data + 1, body.size - 1); /* its members */
}

static void answer_list(struct audit_list *list, struct hl_exchange *exchange)
{
    bool has_more = list->before > 1 && !list->is_over;
    hl_buffer_append_text(&list->body, "],\"next_cursor\":");
    if (has_more)
        hl_buffer_printf(&list->body, "\"%" PRIu64 "\",\"has_more\":true}", list->before);
    else
        hl_buffer_append_text(&list->body, "null,\"has_more\":false}");
    hl_reply_json(exchange, 200, &list->body);
}

static void scan_window(struct audit_list *list, struct hl_exchange *exchange);

static void look_through(struct hl_call *call, struct hl_exchange *exchange)
{
    struct audit_list *list = HL_CONTAINER_OF(call, struct audit_list, call);
    const struct hl_batch *batch = list->scan.batch;
    uint64_t lowest = list->scan.after + 1;
    for (size_t i = batch->n_entries; i > 0 && !list->is_over; i--) {
        const struct hl_entry *entry = batch->entries[i - 1];
        if (entry->position >= list->before)
            continue;
        if (list->n_items == list->limit) {
            lowest = list->before;
            break;
        }
        list->before = entry->position;
        /* Clocks step, but not by an hour: nothing older than that can be wanted. */
        list->is_over = list->since_ms != 0 && entry->wall_ms < list->since_ms - 3600000;
        if (is_wanted(list, entry))
            append_entry(list, entry);
    }
    list->before = lowest < list->before ? lowest : list->before;
    if (list->is_over || list->before <= 1 || list->n_items == list->limit ||
        hl_clock_mono_ms(call->api->config.clock) >= list->until_mono_ms)
        answer_list(list, exchange);
    else
        scan_window(list, exchange);
}

static void take_window(struct hl_log_scan *scan, int r)
{
    struct audit_list *list = HL_CONTAINER_OF(scan, struct audit_list, scan);
    struct hl_batch *batch = r == 0 ? scan->batch : NULL;
    hl_call_resume(&list->call, r); /* may free the list */
    hl_batch_unref(batch);
}

static void scan_window(struct audit_list *list, struct hl_exchange *exchange)
{
    uint64_t after = list->before > WINDOW + 1 ? list->before - 1 - WINDOW : 0;
    hl_call_wait(&list->call, exchange, look_through);
    list->scan = (struct hl_log_scan){.loop = list->call.api->config.loop,
                                      .done = take_window,
                                      .after = after,
                                      .limit = WINDOW,
                                      .bytes_max = WINDOW_BYTES};
    int r = hl_log_scan(list->call.api->config.audit, &list->scan);
    if (r != 0)
        hl_call_refuse(&list->call, r);
}

static void start_list(struct hl_call *call, struct hl_exchange *exchange)
{
    struct audit_list *list = HL_CONTAINER_OF(call, struct audit_list, call);
    struct hl_log_info info;
    uint64_t cursor = 0;
    call->clean = clean_list;
    hl_buffer_init(&list->body, HL_REPLY_BYTES_MAX);
    if (!hl_api_may(&call->who, exchange, HL_PERMISSION_AUDIT_READ) ||
        !hl_reply_read_number(exchange, "limit", 1, LIMIT_MAX, LIMIT_DEFAULT, &list->limit) ||
        !hl_reply_read_number(exchange, "cursor", 1, UINT64_C(1) << 53, 0, &cursor) ||
        !hl_page_read_text(exchange, "site", list->site, sizeof(list->site)) ||
        !hl_page_read_text(exchange, "actor", list->actor, sizeof(list->actor)) ||
        !hl_page_read_text(exchange, "action", list->action, sizeof(list->action)) ||
        !hl_page_read_text(exchange, "conversation", list->conversation,
                           sizeof(list->conversation)) ||
        !hl_page_read_moment(exchange, "since", &list->since_ms) ||
        !hl_page_read_moment(exchange, "until", &list->until_ms))
        return;
    hl_log_info(call->api->config.audit, &info);
    list->before = cursor != 0 && cursor <= info.position ? cursor : info.position + 1;
    list->until_mono_ms = hl_clock_mono_ms(call->api->config.clock) + LOOK_MS;
    hl_buffer_append_text(&list->body, "{\"data\":[");
    scan_window(list, exchange);
}

void hl_audit_list(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    hl_call_start(arg, exchange, params, sizeof(struct audit_list), start_list);
}
