/* GET /v1/conversations. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent-api/call.h"
#include "agent-api/present.h"

enum { LIMIT_DEFAULT = 50 };

/* The cursor is opaque to clients: order, key and number of the last item, in hex. */
static void format_cursor(const struct hl_log_list *list, char out_text[48])
{
    snprintf(out_text, 48, "%x.%016" PRIx64 ".%016" PRIx64, (unsigned)list->order,
             (uint64_t)list->next_key, list->next_number);
}

static bool parse_cursor(const char *text, struct hl_log_list *list)
{
    unsigned order = 0;
    uint64_t key = 0;
    uint64_t number = 0;
    char end = '\0';
    if (strlen(text) != 35 || strspn(text, "0123456789abcdef.") != 35 ||
        sscanf(text, "%1x.%16" SCNx64 ".%16" SCNx64 "%c", &order, &key, &number, &end) != 3)
        return false;
    list->has_cursor = true;
    list->cursor_key = (int64_t)key;
    list->cursor_number = number;
    return order == (unsigned)list->order;
}

static void answer_list(struct hl_call *call, struct hl_exchange *exchange)
{
    const struct hl_log_list *list = &call->list;
    struct hl_buffer body;
    char cursor[48];
    hl_buffer_init(&body, HL_REPLY_BYTES_MAX);
    hl_buffer_append_text(&body, "{\"data\":[");
    for (size_t i = 0; i < list->n_items; i++) {
        hl_buffer_append_text(&body, i > 0 ? "," : "");
        hl_present_conversation(&body, &list->items[i]);
    }
    format_cursor(list, cursor);
    hl_buffer_append_text(&body, "],\"next_cursor\":");
    hl_buffer_printf(&body, list->has_more ? "\"%s\"" : "null", cursor);
    hl_buffer_printf(&body, ",\"has_more\":%s}", list->has_more ? "true" : "false");
    hl_reply_json(exchange, 200, &body);
    hl_buffer_fini(&body);
}

/* One optional parameter of the query as text: false: answered. */
static bool read_text(struct hl_exchange *exchange, const char *name, char *out, size_t out_size)
{
    char pointer[64];
    int r = hl_exchange_query(exchange, name, out, out_size);
    if (r == HL_QUERY_ABSENT)
        out[0] = '\0';
    if (r != HL_QUERY_INVALID)
        return true;
    snprintf(pointer, sizeof(pointer), "/%s", name);
    hl_reply_invalid(exchange, pointer, "%s is not well-formed.", name);
    return false;
}

static bool read_status(struct hl_exchange *exchange, struct hl_log_list *list)
{
    char text[16];
    if (!read_text(exchange, "status", text, sizeof(text)))
        return false;
    if (strcmp(text, "open") == 0)
        list->status = HL_STATUS_OPEN;
    else if (strcmp(text, "closed") == 0)
        list->status = HL_STATUS_CLOSED;
    else if (text[0] != '\0') {
        hl_reply_invalid(exchange, "/status", "status is open or closed.");
        return false;
    }
    return true;
}

static bool read_assignee(struct hl_exchange *exchange, const struct hl_principal *key,
                          struct hl_log_list *list)
{
    char text[HL_ID_TEXT_SIZE];
    if (!read_text(exchange, "assignee", text, sizeof(text)))
        return false;
    if (strcmp(text, "none") == 0)
        list->unassigned_only = true;
    else if (strcmp(text, "me") == 0)
        list->assignee = key->id;
    else if (text[0] != '\0' && hl_id_parse(hl_bytes_of(text), HL_ID_AGENT, &list->assignee) != 0) {
        hl_reply_invalid(exchange, "/assignee", "assignee is none, me, or an agent's id.");
        return false;
    }
    return true;
}

static bool read_sort(struct hl_exchange *exchange, struct hl_log_list *list)
{
    char text[32];
    if (!read_text(exchange, "sort", text, sizeof(text)))
        return false;
    if (strcmp(text, "oldest_unanswered") == 0)
        list->order = HL_LIST_OLDEST_UNANSWERED;
    else if (text[0] == '\0' || strcmp(text, "newest") == 0)
        list->order = HL_LIST_NEWEST;
    else {
        hl_reply_invalid(exchange, "/sort", "sort is newest or oldest_unanswered.");
        return false;
    }
    return true;
}

static bool read_query(struct hl_exchange *exchange, const struct hl_principal *key,
                       struct hl_log_list *list)
{
    char cursor[64];
    uint64_t limit = 0;
    if (!read_status(exchange, list) || !read_assignee(exchange, key, list) ||
        !read_sort(exchange, list) ||
        !read_text(exchange, "site", list->site, sizeof(list->site)) ||
        !read_text(exchange, "cursor", cursor, sizeof(cursor)) ||
        !hl_reply_read_number(exchange, "limit", 1, HL_LIST_LIMIT_MAX, LIMIT_DEFAULT, &limit))
        return false;
    list->limit = (uint32_t)limit;
    if (cursor[0] == '\0' || parse_cursor(cursor, list))
        return true;
    hl_reply_invalid(exchange, "/cursor",
                     "cursor is not one this list gave out; start without one.");
    return false;
}

static void read_list(struct hl_call *call, struct hl_exchange *exchange)
{
    if (read_query(exchange, &call->who, &call->list))
        hl_call_list(call, exchange, answer_list);
}

void hl_conversations_list(void *arg, struct hl_exchange *exchange,
                           const struct hl_route_params *params)
{
    hl_call_start(arg, exchange, params, sizeof(struct hl_call), read_list);
}
