/* /v1/sites: what is served, and for whom. A site comes with its default inbox. */
#include <stdio.h>
#include <string.h>

#include "agent-api/ask.h"
#include "agent-api/directory/object.h"

static const struct hl_field origin[] = {{.name = "", .type = HL_FIELD_ORIGIN}};
static const struct hl_field fields[] = {
    {.name = "name", .type = HL_FIELD_LINE, .is_required = true, .min = 1, .max = 100},
    {.name = "origins",
     .type = HL_FIELD_LIST,
     .max = HL_SITE_ORIGINS_MAX,
     .fields = origin,
     .n_fields = 1,
     .standard = "[]"},
    {.name = "home_url", .type = HL_FIELD_URL},
    {.name = "locale", .type = HL_FIELD_LOCALE, .standard = "\"en\""},
    {.name = "search_text", .type = HL_FIELD_BOOL, .standard = "true"},
    {.name = "retention_days", .type = HL_FIELD_NUMBER, .min = 1, .max = 36500},
};

static int check_site(struct hl_object *object, const struct hl_directory_snapshot *snapshot,
                      struct hl_field_fault *fault)
{
    (void)snapshot;
    if (object->call.who.site[0] == '\0' || object->record.revision > 0)
        return 0;
    snprintf(fault->pointer, sizeof(fault->pointer), "/id");
    snprintf(fault->why, sizeof(fault->why), "Who is bound to a site cannot make another one.");
    return HL_FIELD_WRONG;
}

/* The default inbox of a new site. */
static void complete_site(struct hl_object *object)
{
    struct hl_id id = hl_object_make_id(object->call.api);
    if (object->record.revision > 0)
        return;
    hl_buffer_append_text(&object->with_document, "{\"is_default\":true,\"name\":\"Inbox\"}");
    object->with = (struct hl_directory_change){.kind = HL_RECORD_INBOX,
                                                .document = hl_buffer_bytes(&object->with_document),
                                                .n_max = HL_INBOXES_MAX};
    hl_id_format(&id, HL_ID_INBOX, object->with.id);
    memcpy(object->with.site, object->record.site, sizeof(object->with.site));
    hl_record_label(object->with.label, object->record.site, "Inbox");
    object->change.with = &object->with;
}

static const char *keep_site(struct hl_api *api, const struct hl_directory_snapshot *snapshot,
                             const struct hl_record *record)
{
    if (strcmp(record->id, api->config.site) == 0)
        return "It is the site of the configuration.";
    for (size_t i = 0; i < snapshot->n_agents; i++) {
        if (snapshot->agents[i].is_active &&
            strcmp(snapshot->agents[i].record.site, record->id) == 0)
            return "Active agents are bound to it.";
    }
    return NULL;
}

static void append_secret(struct hl_api *api, const struct hl_directory_snapshot *snapshot,
                          const struct hl_record *record, struct hl_buffer *out)
{
    const struct hl_site *site = hl_snapshot_site(snapshot, record->id);
    (void)api;
    hl_buffer_printf(out, ",\"has_identity_secret\":%s",
                     site != NULL && site->has_identity_secret ? "true" : "false");
}

static const struct hl_object_kind sites = {.kind = HL_RECORD_SITE,
                                            .noun = "site",
                                            .path = "/v1/sites/",
                                            .fields = fields,
                                            .n_fields = sizeof(fields) / sizeof(fields[0]),
                                            .read = HL_PERMISSION_DIRECTORY_READ,
                                            .write = HL_PERMISSION_DIRECTORY_WRITE,
                                            .n_max = HL_SITES_MAX,
                                            .created = "site.created",
                                            .updated = "site.updated",
                                            .deleted = "site.deleted",
                                            .check = check_site,
                                            .complete = complete_site,
                                            .keeps = keep_site,
                                            .append_more = append_secret};

static void list_sites(struct hl_call *call, struct hl_exchange *exchange)
{
    hl_object_list(call, exchange, &sites);
}

static void create_site(struct hl_call *call, struct hl_exchange *exchange)
{
    hl_object_create(call, exchange, &sites);
}

static void get_site(struct hl_call *call, struct hl_exchange *exchange)
{
    hl_object_get(call, exchange, &sites);
}

static void patch_site(struct hl_call *call, struct hl_exchange *exchange)
{
    hl_object_patch(call, exchange, &sites);
}

static void delete_unused(struct hl_call *call, struct hl_exchange *exchange)
{
    if (call->index.list.n_items > 0)
        hl_exchange_problem(exchange, HL_PROBLEM_IN_USE, "It has conversations: erase them first.");
    else
        hl_object_delete(call, exchange, &sites);
}

/* Its name is free again afterwards: who takes it must not find the conversations of another. */
static void delete_site(struct hl_call *call, struct hl_exchange *exchange)
{
    struct hl_index_list *list = &call->index.list;
    struct hl_bytes id = call->params.values[0];
    if (!hl_api_may(&call->who, exchange, HL_PERMISSION_DIRECTORY_WRITE))
        return;
    if (call->api->config.index == NULL || id.size >= sizeof(list->site)) {
        hl_object_delete(call, exchange, &sites);
        return;
    }
    memcpy(list->site, id.data, id.size);
    list->sort = HL_INDEX_NEWEST;
    list->limit = 1;
    hl_ask_list(call, exchange, delete_unused);
}

/* The secret that the site's own server signs its visitors' identities with. Shown this once. */
static void rotate_secret(struct hl_call *call, struct hl_exchange *exchange)
{
    struct hl_object *object = HL_CONTAINER_OF(call, struct hl_object, call);
    struct hl_directory_snapshot *snapshot = hl_directory_snapshot(call->api->config.directory);
    const struct hl_record *record = hl_object_find(call, exchange, &sites, snapshot);
    bool is_good = record != NULL && hl_api_may(&call->who, exchange, sites.write) &&
                   hl_object_take(object, exchange, &sites, record);
    hl_directory_snapshot_unref(snapshot);
    if (!is_good)
        return;
    hl_random_fill(call->api->config.random, object->secret, sizeof(object->secret));
    for (size_t i = 0; i < sizeof(object->secret); i++)
        snprintf(object->shown + 2 * i, 3, "%02x", object->secret[i]);
    object->shown_name = "identity_secret";
    object->change.operation = HL_DIRECTORY_REPLACE;
    object->change.has_if_revision = true;
    object->change.if_revision = object->record.revision;
    object->change.secret = (struct hl_bytes){(const char *)object->secret, sizeof(object->secret)};
    object->action = "site.identity_secret_rotated";
    object->status = 200;
    hl_object_submit(object, exchange);
}

void hl_sites_list(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    hl_call_start(arg, exchange, params, sizeof(struct hl_object), list_sites);
}

void hl_sites_post(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    hl_call_start(arg, exchange, params, sizeof(struct hl_object), create_site);
}

void hl_site_get(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    hl_call_start(arg, exchange, params, sizeof(struct hl_object), get_site);
}

void hl_site_patch(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    hl_call_start(arg, exchange, params, sizeof(struct hl_object), patch_site);
}

void hl_site_delete(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    hl_call_start(arg, exchange, params, sizeof(struct hl_object), delete_site);
}

void hl_site_secret_post(void *arg, struct hl_exchange *exchange,
                         const struct hl_route_params *params)
{
    hl_call_start(arg, exchange, params, sizeof(struct hl_object), rotate_secret);
}
