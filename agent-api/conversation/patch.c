/* PATCH /v1/conversations/{id}: status, tags and custom fields, together one entry. */
#include <ctype.h>
#include <string.h>

#include "agent-api/conversation/change.h"
#include "agent-api/conversation/view.h"

enum {
    TAGS_MAX = 32,
    TAG_SIZE_MAX = 64,
    FIELDS_MAX = 50,
    NAME_SIZE_MAX = 64,
    VALUE_SIZE_MAX = 1024
};

/* Printable, within a size, not empty. */
static bool is_label(const char *text, size_t size, size_t size_max)
{
    if (text == NULL || size == 0 || size > size_max)
        return false;
    for (size_t i = 0; i < size; i++) {
        if (iscntrl((unsigned char)text[i]))
            return false;
    }
    return true;
}

static bool has_string(const json_t *array, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(json_string_value(json_array_get(array, i)), text) == 0)
            return true;
    }
    return false;
}

static bool check_tags(struct hl_exchange *exchange, const json_t *tags)
{
    bool is_valid = json_is_array(tags) && json_array_size(tags) <= TAGS_MAX;
    for (size_t i = 0; is_valid && i < json_array_size(tags); i++) {
        const json_t *tag = json_array_get(tags, i);
        const char *text = json_string_value(tag);
        is_valid =
            is_label(text, json_string_length(tag), TAG_SIZE_MAX) && !has_string(tags, text, i);
    }
    if (!is_valid)
        hl_reply_invalid(exchange, "/tags",
                         "tags are at most %d different strings of 1 to %d bytes.", TAGS_MAX,
                         TAG_SIZE_MAX);
    return is_valid;
}

static bool is_flat_value(const json_t *value)
{
    if (json_is_string(value))
        return json_string_length(value) <= VALUE_SIZE_MAX;
    return !json_is_object(value) && !json_is_array(value);
}

static bool check_fields(struct hl_exchange *exchange, const json_t *fields)
{
    bool is_valid = json_is_object(fields) && json_object_size(fields) <= FIELDS_MAX;
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)fields, name, value)
    {
        is_valid = is_valid && is_label(name, strlen(name), NAME_SIZE_MAX) && is_flat_value(value);
    }
    if (!is_valid)
        hl_reply_invalid(exchange, "/custom_fields",
                         "custom_fields are at most %d members with names of 1 to %d bytes; "
                         "values are strings of at most %d bytes, numbers, true, false, or null "
                         "to take one away.",
                         FIELDS_MAX, NAME_SIZE_MAX, VALUE_SIZE_MAX);
    return is_valid;
}

/* 0: no status was given. False: answered. */
static bool read_status(struct hl_exchange *exchange, const json_t *object, uint8_t *out_status)
{
    const json_t *member = json_object_get(object, "status");
    const char *status = json_string_value(member);
    *out_status = 0;
    if (status != NULL && strcmp(status, "closed") == 0)
        *out_status = HL_STATUS_CLOSED;
    else if (status != NULL && strcmp(status, "open") == 0)
        *out_status = HL_STATUS_OPEN;
    else if (member != NULL)
        hl_reply_invalid(exchange, "/status", "status is open or closed.");
    return member == NULL || *out_status != 0;
}

/* The entry's body: what is to be, but for the status, which is its kind. */
static void append_body(struct hl_buffer *out, const json_t *tags, const json_t *fields)
{
    hl_buffer_append_text(out, "{");
    if (fields != NULL) {
        hl_buffer_append_text(out, "\"custom_fields\":");
        hl_json_append_canonical(out, fields);
    }
    if (tags != NULL) {
        hl_buffer_append_text(out, fields != NULL ? ",\"tags\":" : "\"tags\":");
        hl_json_append_canonical(out, tags);
    }
    hl_buffer_append_text(out, "}");
}

static void submit_patch(struct hl_call *call, struct hl_exchange *exchange, const json_t *object,
                         struct hl_change_wish *wish)
{
    const struct hl_conversation *found = &call->conversation;
    const json_t *tags = json_object_get(object, "tags");
    const json_t *fields = json_object_get(object, "custom_fields");
    bool is_current = !wish->when.has_revision || found->revision == wish->when.revision;
    uint8_t status = 0;
    struct hl_buffer body;
    if (!read_status(exchange, object, &status) || (tags != NULL && !check_tags(exchange, tags)) ||
        (fields != NULL && !check_fields(exchange, fields)))
        return;
    if (status == 0 && tags == NULL && fields == NULL) {
        hl_reply_invalid(exchange, "", "Give status, tags or custom_fields.");
        return;
    }
    if (is_current && status == found->status)
        status = 0;
    if (is_current && status == 0 && tags == NULL && fields == NULL) {
        hl_view_answer(call, exchange); /* it is so already */
        return;
    }
    wish->kind = HL_ENTRY_UPDATED;
    if (status != 0)
        wish->kind = status == HL_STATUS_CLOSED ? HL_ENTRY_CLOSED : HL_ENTRY_REOPENED;
    hl_buffer_init(&body, call->api->config.body_bytes_max);
    append_body(&body, tags, fields);
    wish->body = hl_buffer_bytes(&body);
    if (hl_buffer_failed(&body))
        hl_exchange_problem(exchange, HL_PROBLEM_TOO_LARGE, "All together may have %zu bytes.",
                            body.size_max);
    else
        hl_change_submit(call, exchange, wish);
    hl_buffer_fini(&body);
}

static void carry_out(struct hl_call *call, struct hl_exchange *exchange, const json_t *object)
{
    struct hl_change_wish wish = {0};
    if (!hl_precondition_read(exchange, true, &wish.when))
        return;
    memset(&call->submit, 0, sizeof(call->submit));
    if (wish.when.if_absent)
        hl_exchange_problem(exchange, HL_PROBLEM_BAD_REQUEST, "Send If-Match, not If-None-Match.");
    else
        submit_patch(call, exchange, object, &wish);
}

static void patch_unseen(struct hl_call *call, struct hl_exchange *exchange)
{
    json_t *object = NULL;
    if (!hl_reply_read_object(exchange, &object))
        return;
    carry_out(call, exchange, object);
    json_decref(object);
}

/* How many there will be when the fields are merged into those there are. */
static size_t count_merged(struct hl_bytes before, const json_t *fields)
{
    json_t *merged = NULL;
    char why[160];
    const char *name;
    json_t *value;
    if (hl_json_parse(before, why, sizeof(why), &merged) != 0)
        return 0;
    json_object_foreach((json_t *)(uintptr_t)fields, name, value)
    {
        if (json_is_null(value))
            (void)json_object_del(merged, name);
        else
            (void)json_object_set(merged, name, value);
    }
    size_t n = json_object_size(merged);
    json_decref(merged);
    return n;
}

static void patch_seen(struct hl_call *call, struct hl_exchange *exchange)
{
    json_t *object = NULL;
    if (!hl_reply_read_object(exchange, &object))
        return;
    const json_t *fields = json_object_get(object, "custom_fields");
    if (count_merged(call->index.get.found.custom_fields, fields) > FIELDS_MAX)
        hl_reply_invalid(exchange, "/custom_fields", "A conversation has at most %d fields.",
                         FIELDS_MAX);
    else
        carry_out(call, exchange, object);
    json_decref(object);
}

static void patch_conversation(struct hl_call *call, struct hl_exchange *exchange)
{
    json_t *object = NULL;
    struct hl_precondition when;
    if (!hl_api_may(&call->who, exchange, HL_PERMISSION_CONVERSATION_WORK) ||
        !hl_precondition_read(exchange, true, &when) || !hl_reply_read_object(exchange, &object))
        return;
    if (json_is_object(json_object_get(object, "custom_fields"))) {
        call->index.get = (struct hl_index_get){.conversation = call->conversation.id};
        call->otherwise = patch_unseen; /* the bound is no reason to refuse work */
        hl_ask_get(call, exchange, patch_seen);
    } else {
        carry_out(call, exchange, object);
    }
    json_decref(object);
}

void hl_conversation_patch(void *arg, struct hl_exchange *exchange,
                           const struct hl_route_params *params)
{
    hl_call_open(arg, exchange, params, sizeof(struct hl_call), patch_conversation);
}
