/* /v1/keys: what agents and integrations prove themselves with. The secret is in the answer to
 * the POST, and nowhere else. */
#include <stdio.h>
#include <string.h>

#include "agent-api/directory/object.h"
#include "agent-api/present.h"

static const struct hl_field fields[] = {
    {.name = "agent", .type = HL_FIELD_ID, .is_required = true, .words = HL_ID_AGENT},
    {.name = "name", .type = HL_FIELD_LINE, .is_required = true, .min = 1, .max = 64},
};

/* A key is where its agent is. */
static int check_key(struct hl_object *object, const struct hl_directory_snapshot *snapshot,
                     struct hl_field_fault *fault)
{
    struct hl_id id;
    const char *text = json_string_value(json_object_get(object->record.document, "agent"));
    const struct hl_agent *agent = NULL;
    if (hl_id_parse(hl_bytes_of(text), HL_ID_AGENT, &id) == 0)
        agent = hl_snapshot_agent(snapshot, &id);
    if (agent != NULL && agent->is_active &&
        hl_principal_sees_site(&object->call.who, agent->record.site)) {
        memcpy(object->record.site, agent->record.site, sizeof(object->record.site));
        return 0;
    }
    snprintf(fault->pointer, sizeof(fault->pointer), "/agent");
    snprintf(fault->why, sizeof(fault->why), "There is no such active agent.");
    return HL_FIELD_WRONG;
}

static void complete_key(struct hl_object *object)
{
    char secret[HL_KEY_SECRET_SIZE];
    hl_key_secret_make(object->call.api->config.random, secret, object->secret);
    memcpy(object->shown, secret, sizeof(secret));
    object->shown_name = "secret";
    object->change.secret = (struct hl_bytes){(const char *)object->secret, sizeof(object->secret)};
}

static void append_times(struct hl_api *api, const struct hl_directory_snapshot *snapshot,
                         const struct hl_record *record, struct hl_buffer *out)
{
    struct hl_id id;
    int64_t used_ms = 0;
    (void)snapshot;
    if (hl_id_parse(hl_bytes_of(record->id), HL_ID_KEY, &id) == 0)
        used_ms = hl_directory_key_used_ms(api->config.directory, &id);
    hl_buffer_append_text(out, ",");
    hl_present_moment(out, "last_used_at", used_ms);
    hl_buffer_append_text(out, ",");
    hl_present_moment(out, "revoked_at",
                      (int64_t)json_integer_value(json_object_get(record->document, "revoked_ms")));
}

static const struct hl_object_kind keys = {.kind = HL_RECORD_KEY,
                                           .noun = "key",
                                           .path = "/v1/keys/",
                                           .prefix = HL_ID_KEY,
                                           .fields = fields,
                                           .n_fields = sizeof(fields) / sizeof(fields[0]),
                                           .read = HL_PERMISSION_KEY_READ,
                                           .write = HL_PERMISSION_DIRECTORY_WRITE,
                                           .n_max = HL_KEYS_MAX,
                                           .created = "key.created",
                                           .deleted = "key.revoked",
                                           .check = check_key,
                                           .complete = complete_key,
                                           .append_more = append_times};

/* DELETE revokes, at once and without If-Match: who must end a key must not have to read first. */
static void revoke_key(struct hl_call *call, struct hl_exchange *exchange)
{
    struct hl_object *object = HL_CONTAINER_OF(call, struct hl_object, call);
    struct hl_directory_snapshot *snapshot = hl_directory_snapshot(call->api->config.directory);
    const struct hl_record *record = hl_object_find(call, exchange, &keys, snapshot);
    bool is_revoked = record != NULL && json_object_get(record->document, "revoked_ms") != NULL;
    bool is_good = record != NULL && hl_api_may(&call->who, exchange, keys.write) &&
                   hl_object_take(object, exchange, &keys, record);
    hl_directory_snapshot_unref(snapshot);
    if (is_good && is_revoked)
        exchange->ops->answer(exchange, 204, "application/json", (struct hl_bytes){0});
    if (!is_good || is_revoked)
        return;
    (void)json_object_set_new(object->record.document, "revoked_ms",
                              json_integer(hl_clock_wall_ms(call->api->config.clock)));
    object->change.operation = HL_DIRECTORY_REPLACE;
    object->change.is_retired = true;
    object->change.keeps_admin = true;
    object->action = keys.deleted;
    object->status = 204;
    hl_object_submit(object, exchange);
}

static void list_keys(struct hl_call *call, struct hl_exchange *exchange)
{
    hl_object_list(call, exchange, &keys);
}

static void create_key(struct hl_call *call, struct hl_exchange *exchange)
{
    hl_object_create(call, exchange, &keys);
}

static void get_key(struct hl_call *call, struct hl_exchange *exchange)
{
    hl_object_get(call, exchange, &keys);
}

void hl_keys_list(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    hl_call_start(arg, exchange, params, sizeof(struct hl_object), list_keys);
}

void hl_keys_post(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    hl_call_start(arg, exchange, params, sizeof(struct hl_object), create_key);
}

void hl_key_get(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    hl_call_start(arg, exchange, params, sizeof(struct hl_object), get_key);
}

void hl_key_delete(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    hl_call_start(arg, exchange, params, sizeof(struct hl_object), revoke_key);
}
