/* /v1/agents: people and integrations. They are never deleted, since they are the authors of what
 * they wrote: DELETE deactivates. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "agent-api/directory/object.h"

static const struct hl_field inbox[] = {{.name = "", .type = HL_FIELD_ID, .words = HL_ID_INBOX}};
static const struct hl_field fields[] = {
    {.name = "name",
     .type = HL_FIELD_LINE,
     .is_required = true,
     .min = 1,
     .max = HL_AGENT_NAME_SIZE_MAX},
    {.name = "email", .type = HL_FIELD_EMAIL},
    {.name = "role",
     .type = HL_FIELD_CHOICE,
     .is_required = true,
     .words = "admin supervisor agent integration auditor"},
    {.name = "inboxes",
     .type = HL_FIELD_LIST,
     .max = HL_AGENT_INBOXES_MAX,
     .fields = inbox,
     .n_fields = 1,
     .standard = "[]"},
    {.name = "active", .type = HL_FIELD_BOOL, .standard = "true"},
    {.name = "availability",
     .type = HL_FIELD_CHOICE,
     .words = "online away",
     .standard = "\"online\""},
};

static int check_agent(struct hl_object *object, const struct hl_directory_snapshot *snapshot,
                       struct hl_field_fault *fault)
{
    const json_t *list = json_object_get(object->record.document, "inboxes");
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct hl_id id;
        const char *text = json_string_value(json_array_get(list, i));
        const struct hl_inbox *found = NULL;
        if (hl_id_parse(hl_bytes_of(text), HL_ID_INBOX, &id) == 0)
            found = hl_snapshot_inbox(snapshot, &id);
        const char *site = object->record.site;
        if (found != NULL && (site[0] == '\0' || strcmp(site, found->record.site) == 0))
            continue;
        snprintf(fault->pointer, sizeof(fault->pointer), "/inboxes/%zu", i);
        snprintf(fault->why, sizeof(fault->why), "There is no such inbox for this agent.");
        return HL_FIELD_WRONG;
    }
    return 0;
}

/* Members that are looked at without their table are there; an e-mail address has one form. */
static void complete_agent(struct hl_object *object)
{
    char lower[HL_EMAIL_SIZE_MAX + 1];
    json_t *document = object->record.document;
    const char *email = json_string_value(json_object_get(document, "email"));
    if (json_object_get(document, "active") == NULL)
        (void)json_object_set_new(document, "active", json_true());
    object->change.is_retired = !json_is_true(json_object_get(document, "active"));
    object->change.keeps_admin = true;
    if (email == NULL)
        return;
    for (size_t i = 0; i <= strlen(email); i++)
        lower[i] = (char)tolower((unsigned char)email[i]);
    (void)json_object_set_new(document, "email", json_string(lower));
    hl_record_label(object->change.label, "", lower);
}

static void append_online(struct hl_api *api, const struct hl_directory_snapshot *snapshot,
                          const struct hl_record *record, struct hl_buffer *out)
{
    struct hl_id id;
    const struct hl_agent *agent = NULL;
    if (hl_id_parse(hl_bytes_of(record->id), HL_ID_AGENT, &id) == 0)
        agent = hl_snapshot_agent(snapshot, &id);
    bool is_online = agent != NULL && agent->is_active && !agent->is_away &&
                     hl_online_has(api->config.online, &id);
    hl_buffer_printf(out, ",\"online\":%s", is_online ? "true" : "false");
}

static const struct hl_object_kind agents = {.kind = HL_RECORD_AGENT,
                                             .noun = "agent",
                                             .path = "/v1/agents/",
                                             .prefix = HL_ID_AGENT,
                                             .fields = fields,
                                             .n_fields = sizeof(fields) / sizeof(fields[0]),
                                             .hidden = "oidc",
                                             .read = HL_PERMISSION_DIRECTORY_READ,
                                             .write = HL_PERMISSION_DIRECTORY_WRITE,
                                             .n_max = HL_AGENTS_MAX,
                                             .created = "agent.created",
                                             .updated = "agent.updated",
                                             .deleted = "agent.deactivated",
                                             .check = check_agent,
                                             .complete = complete_agent,
                                             .append_more = append_online};

/* {"availability":"online"|"away"} of who asks. */
static void put_availability(struct hl_call *call, struct hl_exchange *exchange)
{
    static const struct hl_field only[] = {{.name = "availability",
                                            .type = HL_FIELD_CHOICE,
                                            .is_required = true,
                                            .words = "online away"}};
    struct hl_object *object = HL_CONTAINER_OF(call, struct hl_object, call);
    struct hl_field_fault fault = {0};
    json_t *body = NULL;
    if (!hl_api_may(&call->who, exchange, HL_PERMISSION_CONVERSATION_WORK) ||
        !hl_reply_read_object(exchange, &body))
        return;
    struct hl_directory_snapshot *snapshot = hl_directory_snapshot(call->api->config.directory);
    const struct hl_agent *agent = hl_snapshot_agent(snapshot, &call->who.id);
    bool is_good = hl_fields_check(only, 1, body, &fault) == 0;
    if (!is_good)
        hl_reply_invalid(exchange, fault.pointer, "%s", fault.why);
    is_good = is_good && agent != NULL && hl_object_take(object, exchange, &agents, &agent->record);
    hl_directory_snapshot_unref(snapshot);
    if (is_good && hl_fields_merge(object->record.document, body) == 0) {
        object->change.operation = HL_DIRECTORY_REPLACE;
        object->change.has_if_revision = true;
        object->change.if_revision = object->record.revision;
        object->action = "agent.availability_changed";
        object->status = 200;
        complete_agent(object);
        hl_object_submit(object, exchange);
    }
    json_decref(body);
}

/* DELETE: deactivates. */
static void delete_agent(struct hl_call *call, struct hl_exchange *exchange)
{
    struct hl_object *object = HL_CONTAINER_OF(call, struct hl_object, call);
    if (!hl_object_open(call, exchange, &agents))
        return;
    (void)json_object_set_new(object->record.document, "active", json_false());
    complete_agent(object);
    object->change.operation = HL_DIRECTORY_REPLACE;
    object->action = agents.deleted;
    object->status = 204;
    hl_object_submit(object, exchange);
}

static void list_agents(struct hl_call *call, struct hl_exchange *exchange)
{
    hl_object_list(call, exchange, &agents);
}

static void create_agent(struct hl_call *call, struct hl_exchange *exchange)
{
    hl_object_create(call, exchange, &agents);
}

static void get_agent(struct hl_call *call, struct hl_exchange *exchange)
{
    hl_object_get(call, exchange, &agents);
}

static void patch_agent(struct hl_call *call, struct hl_exchange *exchange)
{
    hl_object_patch(call, exchange, &agents);
}

void hl_agents_list(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    hl_call_start(arg, exchange, params, sizeof(struct hl_object), list_agents);
}

void hl_agents_post(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    hl_call_start(arg, exchange, params, sizeof(struct hl_object), create_agent);
}

void hl_agents_get(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    hl_call_start(arg, exchange, params, sizeof(struct hl_object), get_agent);
}

void hl_agents_patch(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    hl_call_start(arg, exchange, params, sizeof(struct hl_object), patch_agent);
}

void hl_agents_delete(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    hl_call_start(arg, exchange, params, sizeof(struct hl_object), delete_agent);
}

void hl_availability_put(void *arg, struct hl_exchange *exchange,
                         const struct hl_route_params *params)
{
    hl_call_start(arg, exchange, params, sizeof(struct hl_object), put_availability);
}
