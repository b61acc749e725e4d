/* /v1/inboxes: where conversations of a site arrive, when somebody is there, what the widget
 * shows. */
#include <stdio.h>
#include <string.h>

#include "agent-api/directory/object.h"

static const struct hl_field sla[] = {
    {.name = "first_response_minutes", .type = HL_FIELD_NUMBER, .min = 1, .max = 100000},
    {.name = "response_minutes", .type = HL_FIELD_NUMBER, .min = 1, .max = 100000},
};
static const struct hl_field range[] = {
    {.name = "day",
     .type = HL_FIELD_CHOICE,
     .is_required = true,
     .words = "mon tue wed thu fri sat sun"},
    {.name = "open", .type = HL_FIELD_TIME, .is_required = true},
    {.name = "close", .type = HL_FIELD_TIME, .is_required = true},
};
static const struct hl_field week[] = {
    {.name = "", .type = HL_FIELD_OBJECT, .fields = range, .n_fields = 3}};
static const struct hl_field holiday[] = {{.name = "", .type = HL_FIELD_DATE}};
static const struct hl_field hours[] = {
    {.name = "time_zone", .type = HL_FIELD_ZONE, .is_required = true},
    {.name = "week",
     .type = HL_FIELD_LIST,
     .is_required = true,
     .max = HL_OPEN_RANGES_MAX,
     .fields = week,
     .n_fields = 1},
    {.name = "holidays",
     .type = HL_FIELD_LIST,
     .max = HL_HOLIDAYS_MAX,
     .fields = holiday,
     .n_fields = 1,
     .standard = "[]"},
};
static const struct hl_field form[] = {
    {.name = "name",
     .type = HL_FIELD_CHOICE,
     .words = "off optional required",
     .standard = "\"optional\""},
    {.name = "email",
     .type = HL_FIELD_CHOICE,
     .words = "off optional required",
     .standard = "\"optional\""},
    {.name = "phone",
     .type = HL_FIELD_CHOICE,
     .words = "off optional required",
     .standard = "\"off\""},
};
static const struct hl_field consent[] = {
    {.name = "text", .type = HL_FIELD_PROSE, .is_required = true, .min = 1, .max = 1000},
    {.name = "policy_url", .type = HL_FIELD_URL},
    {.name = "required", .type = HL_FIELD_BOOL, .standard = "true"},
};
static const struct hl_field widget[] = {
    {.name = "title", .type = HL_FIELD_LINE, .min = 1, .max = 80},
    {.name = "greeting", .type = HL_FIELD_PROSE, .min = 1, .max = 1000},
    {.name = "accent", .type = HL_FIELD_COLOUR},
    {.name = "form",
     .type = HL_FIELD_OBJECT,
     .fields = form,
     .n_fields = 3,
     .standard = "{\"name\":\"optional\",\"email\":\"optional\",\"phone\":\"off\"}"},
    {.name = "consent", .type = HL_FIELD_OBJECT, .fields = consent, .n_fields = 3},
};
static const struct hl_field fields[] = {
    {.name = "name", .type = HL_FIELD_LINE, .is_required = true, .min = 1, .max = 100},
    {.name = "is_default", .type = HL_FIELD_BOOL, .is_fixed = true, .standard = "false"},
    {.name = "locale", .type = HL_FIELD_LOCALE, .standard = "\"en\""},
    {.name = "sla",
     .type = HL_FIELD_OBJECT,
     .fields = sla,
     .n_fields = 2,
     .standard = "{\"first_response_minutes\":null,\"response_minutes\":null}"},
    {.name = "business_hours", .type = HL_FIELD_OBJECT, .fields = hours, .n_fields = 3},
    {.name = "widget",
     .type = HL_FIELD_OBJECT,
     .fields = widget,
     .n_fields = 5,
     .standard = "{\"title\":null,\"greeting\":null,\"accent\":null,\"form\":{\"name\":"
                 "\"optional\",\"email\":\"optional\",\"phone\":\"off\"},\"consent\":null}"},
};

/* "09:00" is before "17:00" as text too. */
static int check_inbox(struct hl_object *object, const struct hl_directory_snapshot *snapshot,
                       struct hl_field_fault *fault)
{
    const json_t *document = object->record.document;
    const json_t *ranges = json_object_get(json_object_get(document, "business_hours"), "week");
    (void)snapshot;
    for (size_t i = 0; i < json_array_size(ranges); i++) {
        const json_t *one = json_array_get(ranges, i);
        if (strcmp(json_string_value(json_object_get(one, "open")),
                   json_string_value(json_object_get(one, "close"))) < 0)
            continue;
        snprintf(fault->pointer, sizeof(fault->pointer), "/business_hours/week/%zu/close", i);
        snprintf(fault->why, sizeof(fault->why), "It must be later than open, up to 24:00.");
        return HL_FIELD_WRONG;
    }
    if (object->record.revision > 0 || !json_is_true(json_object_get(document, "is_default")))
        return 0;
    snprintf(fault->pointer, sizeof(fault->pointer), "/is_default");
    snprintf(fault->why, sizeof(fault->why), "A site has its default inbox from the beginning.");
    return HL_FIELD_WRONG;
}

static void complete_inbox(struct hl_object *object)
{
    hl_record_label(object->change.label, object->record.site,
                    json_string_value(json_object_get(object->record.document, "name")));
}

static const char *keep_inbox(struct hl_api *api, const struct hl_directory_snapshot *snapshot,
                              const struct hl_record *record)
{
    const struct hl_inbox *inbox = (const void *)record;
    (void)api;
    if (inbox->is_default)
        return "It is the default inbox of its site.";
    for (size_t i = 0; i < snapshot->n_agents; i++) {
        const struct hl_agent *agent = &snapshot->agents[i];
        for (size_t j = 0; j < agent->n_inboxes && agent->is_active; j++) {
            if (hl_id_equal(&agent->inboxes[j], &inbox->id))
                return "Agents are limited to it.";
        }
    }
    return NULL;
}

static const struct hl_object_kind inboxes = {.kind = HL_RECORD_INBOX,
                                              .noun = "inbox",
                                              .path = "/v1/inboxes/",
                                              .prefix = HL_ID_INBOX,
                                              .fields = fields,
                                              .n_fields = sizeof(fields) / sizeof(fields[0]),
                                              .read = HL_PERMISSION_DIRECTORY_READ,
                                              .write = HL_PERMISSION_DIRECTORY_WRITE,
                                              .n_max = HL_INBOXES_MAX,
                                              .created = "inbox.created",
                                              .updated = "inbox.updated",
                                              .deleted = "inbox.deleted",
                                              .check = check_inbox,
                                              .complete = complete_inbox,
                                              .keeps = keep_inbox};

static void list_inboxes(struct hl_call *call, struct hl_exchange *exchange)
{
    hl_object_list(call, exchange, &inboxes);
}

static void create_inbox(struct hl_call *call, struct hl_exchange *exchange)
{
    hl_object_create(call, exchange, &inboxes);
}

static void get_inbox(struct hl_call *call, struct hl_exchange *exchange)
{
    hl_object_get(call, exchange, &inboxes);
}

static void patch_inbox(struct hl_call *call, struct hl_exchange *exchange)
{
    hl_object_patch(call, exchange, &inboxes);
}

static void delete_inbox(struct hl_call *call, struct hl_exchange *exchange)
{
    hl_object_delete(call, exchange, &inboxes);
}

void hl_inboxes_list(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    hl_call_start(arg, exchange, params, sizeof(struct hl_object), list_inboxes);
}

void hl_inboxes_post(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    hl_call_start(arg, exchange, params, sizeof(struct hl_object), create_inbox);
}

void hl_inbox_get(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    hl_call_start(arg, exchange, params, sizeof(struct hl_object), get_inbox);
}

void hl_inbox_patch(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    hl_call_start(arg, exchange, params, sizeof(struct hl_object), patch_inbox);
}

void hl_inbox_delete(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    hl_call_start(arg, exchange, params, sizeof(struct hl_object), delete_inbox);
}
