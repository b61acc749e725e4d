/* GET /v1/conversations, and GET /v1/contacts/{id}/conversations, which is the same list. */
#include <stdio.h>
#include <string.h>

#include "agent-api/conversation/view.h"
#include "agent-api/page.h"

static void answer_list(struct hl_call *call, struct hl_exchange *exchange)
{
    const struct hl_index_list *list = &call->index.list;
    struct hl_directory_snapshot *snapshot = hl_directory_snapshot(call->api->config.directory);
    struct hl_page_cursor next = {
        .order = list->sort, .key = list->next_key, .number = list->next_number};
    int64_t now_ms = hl_clock_wall_ms(call->api->config.clock);
    struct hl_buffer body;
    hl_buffer_init(&body, HL_REPLY_BYTES_MAX);
    hl_buffer_append_text(&body, "{\"data\":[");
    for (size_t i = 0; i < list->n_items; i++) {
        hl_buffer_append_text(&body, i > 0 ? "," : "");
        hl_view_append(&body, &list->items[i], snapshot, now_ms);
    }
    hl_page_end(&body, list->has_more, &next);
    if (list->query[0] != '\0')
        hl_call_answer_read(call, exchange, "conversation.searched", &body);
    else if (!hl_id_is_zero(&list->contact))
        hl_call_answer_read(call, exchange, "contact.conversations_read", &body);
    else /* excerpts of what people wrote stand in it */
        hl_call_answer_list(call, exchange, "conversation.listed", &body);
    hl_buffer_fini(&body);
    hl_directory_snapshot_unref(snapshot);
}

static bool read_status(struct hl_exchange *exchange, struct hl_index_list *list)
{
    char text[16];
    if (!hl_page_read_text(exchange, "status", text, sizeof(text)))
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

static bool read_id(struct hl_exchange *exchange, const char *name, const char *prefix,
                    struct hl_id *out_id)
{
    char text[HL_ID_TEXT_SIZE];
    char pointer[32];
    if (!hl_page_read_text(exchange, name, text, sizeof(text)))
        return false;
    if (text[0] == '\0')
        return true;
    if (hl_id_parse(hl_bytes_of(text), prefix, out_id) == 0 && !hl_id_is_zero(out_id))
        return true;
    snprintf(pointer, sizeof(pointer), "/%s", name);
    hl_reply_invalid(exchange, pointer, "%s is an id as in %s….", name, prefix);
    return false;
}

static bool read_assignee(struct hl_exchange *exchange, const struct hl_principal *who,
                          struct hl_index_list *list)
{
    char text[HL_ID_TEXT_SIZE];
    if (!hl_page_read_text(exchange, "assignee", text, sizeof(text)))
        return false;
    if (strcmp(text, "none") == 0)
        list->unassigned_only = true;
    else if (strcmp(text, "me") == 0)
        list->assignee = who->id;
    else if (text[0] != '\0' &&
             (hl_id_parse(hl_bytes_of(text), HL_ID_AGENT, &list->assignee) != 0 ||
              hl_id_is_zero(&list->assignee))) {
        hl_reply_invalid(exchange, "/assignee", "assignee is none, me, or an agent's id.");
        return false;
    }
    return true;
}

static bool read_sort(struct hl_exchange *exchange, struct hl_index_list *list)
{
    static const char *const names[HL_INDEX_SORT_END] = {
        [HL_INDEX_NEWEST] = "newest",   [HL_INDEX_OLDEST] = "oldest",
        [HL_INDEX_UPDATED] = "updated", [HL_INDEX_OLDEST_UNANSWERED] = "oldest_unanswered",
        [HL_INDEX_DUE] = "due",
    };
    char text[32];
    if (!hl_page_read_text(exchange, "sort", text, sizeof(text)))
        return false;
    list->sort = HL_INDEX_NEWEST;
    if (text[0] == '\0')
        return true;
    while (list->sort < HL_INDEX_SORT_END && strcmp(names[list->sort], text) != 0)
        list->sort++;
    if (list->sort < HL_INDEX_SORT_END)
        return true;
    hl_reply_invalid(exchange, "/sort",
                     "sort is newest, oldest, updated, oldest_unanswered or due.");
    return false;
}

static bool read_tags(struct hl_exchange *exchange, struct hl_index_list *list)
{
    char tag[HL_INDEX_TAG_SIZE_MAX + 1];
    int r = 0;
    list->n_tags = 0;
    while ((r = hl_exchange_query_nth(exchange, "tag", list->n_tags, tag, sizeof(tag))) == 0) {
        if (tag[0] == '\0' || list->n_tags == HL_INDEX_TAGS_MAX)
            break;
        memcpy(list->tags[list->n_tags++], tag, sizeof(tag));
    }
    if (r == HL_QUERY_ABSENT)
        return true;
    hl_reply_invalid(exchange, "/tag", "tag may be given up to %d times, each 1 to %d bytes.",
                     (int)HL_INDEX_TAGS_MAX, (int)HL_INDEX_TAG_SIZE_MAX);
    return false;
}

static bool read_filters(struct hl_call *call, struct hl_exchange *exchange,
                         struct hl_index_list *list)
{
    return read_status(exchange, list) && read_assignee(exchange, &call->who, list) &&
           read_id(exchange, "inbox", HL_ID_INBOX, &list->inbox) &&
           read_id(exchange, "contact", HL_ID_CONTACT, &list->contact) &&
           hl_page_read_text(exchange, "site", list->site, sizeof(list->site)) &&
           hl_page_read_moment(exchange, "opened_after", &list->opened_after_ms) &&
           hl_page_read_moment(exchange, "opened_before", &list->opened_before_ms) &&
           hl_page_read_text(exchange, "q", list->query, sizeof(list->query)) &&
           read_tags(exchange, list) && read_sort(exchange, list);
}

static bool read_place(struct hl_exchange *exchange, struct hl_index_list *list)
{
    struct hl_page_cursor cursor;
    if (!hl_page_read(exchange, list->sort, HL_INDEX_LIMIT_MAX, &list->limit, &cursor))
        return false;
    list->has_cursor = cursor.is_given;
    list->cursor_key = cursor.key;
    list->cursor_number = cursor.number;
    return true;
}

static void read_list(struct hl_call *call, struct hl_exchange *exchange)
{
    struct hl_index_list *list = &call->index.list;
    if (hl_api_may(&call->who, exchange, HL_PERMISSION_CONVERSATION_READ) &&
        read_filters(call, exchange, list) && read_place(exchange, list))
        hl_ask_list(call, exchange, answer_list);
}

void hl_conversations_list(void *arg, struct hl_exchange *exchange,
                           const struct hl_route_params *params)
{
    hl_call_start(arg, exchange, params, sizeof(struct hl_call), read_list);
}

static void read_list_of_contact(struct hl_call *call, struct hl_exchange *exchange)
{
    struct hl_index_list *list = &call->index.list;
    list->sort = HL_INDEX_NEWEST;
    if (!hl_api_may(&call->who, exchange, HL_PERMISSION_CONTACT_READ))
        return;
    if (hl_id_parse(call->params.values[0], HL_ID_CONTACT, &list->contact) != 0 ||
        hl_id_is_zero(&list->contact))
        hl_exchange_problem(exchange, HL_PROBLEM_NOT_FOUND, "Check the id.");
    else if (read_place(exchange, list))
        hl_ask_list(call, exchange, answer_list);
}

void hl_contact_conversations_get(void *arg, struct hl_exchange *exchange,
                                  const struct hl_route_params *params)
{
    hl_call_start(arg, exchange, params, sizeof(struct hl_call), read_list_of_contact);
}
