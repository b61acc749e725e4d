/* /v1/canned-replies: texts that agents use often. "{name}", "{agent}" and "{reference}" in them
 * are filled by who shows them. */
#include "agent-api/directory/object.h"

static const struct hl_field fields[] = {
    {.name = "shortcut", .type = HL_FIELD_WORD, .is_required = true, .max = 32},
    {.name = "text", .type = HL_FIELD_PROSE, .is_required = true, .min = 1, .max = 4000},
    {.name = "locale", .type = HL_FIELD_LOCALE},
};

static void complete_canned(struct hl_object *object)
{
    hl_record_label(object->change.label, object->record.site,
                    json_string_value(json_object_get(object->record.document, "shortcut")));
}

static const struct hl_object_kind canned = {.kind = HL_RECORD_CANNED,
                                             .noun = "canned reply",
                                             .path = "/v1/canned-replies/",
                                             .prefix = HL_ID_CANNED,
                                             .fields = fields,
                                             .n_fields = sizeof(fields) / sizeof(fields[0]),
                                             .read = HL_PERMISSION_DIRECTORY_READ,
                                             .write = HL_PERMISSION_CANNED_WRITE,
                                             .n_max = HL_CANNED_MAX,
                                             .created = "canned_reply.created",
                                             .updated = "canned_reply.updated",
                                             .deleted = "canned_reply.deleted",
                                             .complete = complete_canned};

static void list_canned(struct hl_call *call, struct hl_exchange *exchange)
{
    hl_object_list(call, exchange, &canned);
}

static void create_canned(struct hl_call *call, struct hl_exchange *exchange)
{
    hl_object_create(call, exchange, &canned);
}

static void get_canned(struct hl_call *call, struct hl_exchange *exchange)
{
    hl_object_get(call, exchange, &canned);
}

static void patch_canned(struct hl_call *call, struct hl_exchange *exchange)
{
    hl_object_patch(call, exchange, &canned);
}

static void delete_canned(struct hl_call *call, struct hl_exchange *exchange)
{
    hl_object_delete(call, exchange, &canned);
}

void hl_canned_list(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    hl_call_start(arg, exchange, params, sizeof(struct hl_object), list_canned);
}

void hl_canned_post(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    hl_call_start(arg, exchange, params, sizeof(struct hl_object), create_canned);
}

void hl_canned_get(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    hl_call_start(arg, exchange, params, sizeof(struct hl_object), get_canned);
}

void hl_canned_patch(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    hl_call_start(arg, exchange, params, sizeof(struct hl_object), patch_canned);
}

void hl_canned_delete(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    hl_call_start(arg, exchange, params, sizeof(struct hl_object), delete_canned);
}
