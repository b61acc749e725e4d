#include "agent-api/api.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent-api/api_state.h"
#include "agent-api/audit/memory.h"
#include "agent-api/feed/presence.h"
#include "base/check.h"
#include "base/result.h"

static const struct hl_route routes[] = {
    {HL_GET, "/v1/agent", hl_agent_get},
    {HL_PUT, "/v1/agent/availability", hl_availability_put},
    {HL_GET, "/v1/events", hl_events_get},
    {HL_GET, "/v1/audit", hl_audit_list},
    {HL_GET, "/v1/sites", hl_sites_list},
    {HL_POST, "/v1/sites", hl_sites_post},
    {HL_GET, "/v1/sites/{id}", hl_site_get},
    {HL_PATCH, "/v1/sites/{id}", hl_site_patch},
    {HL_DELETE, "/v1/sites/{id}", hl_site_delete},
    {HL_POST, "/v1/sites/{id}/identity-secret", hl_site_secret_post},
    {HL_GET, "/v1/inboxes", hl_inboxes_list},
    {HL_POST, "/v1/inboxes", hl_inboxes_post},
    {HL_GET, "/v1/inboxes/{id}", hl_inbox_get},
    {HL_PATCH, "/v1/inboxes/{id}", hl_inbox_patch},
    {HL_DELETE, "/v1/inboxes/{id}", hl_inbox_delete},
    {HL_GET, "/v1/agents", hl_agents_list},
    {HL_POST, "/v1/agents", hl_agents_post},
    {HL_GET, "/v1/agents/{id}", hl_agents_get},
    {HL_PATCH, "/v1/agents/{id}", hl_agents_patch},
    {HL_DELETE, "/v1/agents/{id}", hl_agents_delete},
    {HL_GET, "/v1/keys", hl_keys_list},
    {HL_POST, "/v1/keys", hl_keys_post},
    {HL_GET, "/v1/keys/{id}", hl_key_get},
    {HL_DELETE, "/v1/keys/{id}", hl_key_delete},
    {HL_GET, "/v1/canned-replies", hl_canned_list},
    {HL_POST, "/v1/canned-replies", hl_canned_post},
    {HL_GET, "/v1/canned-replies/{id}", hl_canned_get},
    {HL_PATCH, "/v1/canned-replies/{id}", hl_canned_patch},
    {HL_DELETE, "/v1/canned-replies/{id}", hl_canned_delete},
    {HL_GET, "/v1/conversations", hl_conversations_list},
    {HL_GET, "/v1/contacts", hl_contacts_get},
    {HL_GET, "/v1/contacts/{id}", hl_contact_get},
    {HL_GET, "/v1/contacts/{id}/conversations", hl_contact_conversations_get},
    {HL_GET, "/v1/tags", hl_tags_get},
    {HL_POST, "/v1/exports", hl_exports_post},
    {HL_GET, "/v1/exports/{id}", hl_export_get},
    {HL_GET, "/v1/exports/{id}/content", hl_export_content_get},
    {HL_POST, "/v1/erasures", hl_erasures_post},
    {HL_GET, "/v1/erasures/{id}", hl_erasure_get},
    {HL_GET, "/v1/conversations/{id}", hl_conversation_get},
    {HL_PATCH, "/v1/conversations/{id}", hl_conversation_patch},
    {HL_GET, "/v1/conversations/{id}/messages", hl_messages_get},
    {HL_PUT, "/v1/conversations/{id}/messages/{client_id}", hl_message_put},
    {HL_GET, "/v1/conversations/{id}/transcript", hl_transcript_get},
    {HL_PUT, "/v1/conversations/{id}/assignee", hl_assignee_put},
    {HL_DELETE, "/v1/conversations/{id}/assignee", hl_assignee_delete},
    {HL_GET, "/v1/conversations/{id}/positions", hl_positions_get},
    {HL_PUT, "/v1/conversations/{id}/positions/{participant}", hl_position_put},
    {HL_PUT, "/v1/conversations/{id}/presence", hl_conversation_presence_put},
};

static void take_leave(struct hl_registry_member *member)
{
    struct hl_api *api = HL_CONTAINER_OF(member, struct hl_api, member);
    hl_pending_end(&api->membership);
}

int hl_api_create(const struct hl_api_config *config, struct hl_api **out_api)
{
    struct hl_log_info info;
    struct hl_api *api = calloc(1, sizeof(*api));
    if (api == NULL)
        return -ENOMEM;
    api->config = *config;
    hl_list_init(&api->feeds);
    hl_list_init(&api->leaving);
    hl_recent_init(&api->recent);
    hl_log_info(config->log, &info);
    api->head = info.position;
    api->round_head = info.position;
    api->subscription.loop = config->loop;
    api->subscription.on_commit = hl_feeds_on_commit;
    hl_log_subscribe(config->log, &api->subscription);
    api->member.loop = config->loop;
    api->member.on_signal = hl_presence_on_signal;
    api->member.on_left = take_leave;
    hl_registry_join(config->registry, &api->member);
    *out_api = api;
    return 0;
}

static bool starts_with(struct hl_bytes path, const char *start)
{
    size_t size = strlen(start);
    return path.size >= size && memcmp(path.data, start, size) == 0 &&
           (path.size == size || path.data[size] == '/');
}

bool hl_api_owns(struct hl_bytes path)
{
    static const char *const roots[] = {
        "/v1/agent",          "/v1/agents",        "/v1/audit",   "/v1/contacts", "/v1/tags",
        "/v1/canned-replies", "/v1/conversations", "/v1/events",  "/v1/inboxes",  "/v1/keys",
        "/v1/sites",          "/v1/exports",       "/v1/erasures"};
    for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
        if (starts_with(path, roots[i]))
            return true;
    }
    return false;
}

void hl_api_handle(struct hl_api *api, struct hl_exchange *exchange)
{
    api->stats.requests++;
    hl_routes_run(routes, sizeof(routes) / sizeof(routes[0]), api, exchange);
}

void hl_api_tick(struct hl_api *api)
{
    hl_feeds_tick(api);
    hl_presence_tick(api);
}

void hl_api_drain(struct hl_api *api)
{
    api->is_draining = true;
    hl_feeds_drain(api);
}

static void free_api(void *arg)
{
    struct hl_api *api = arg;
    void (*closed)(void *arg) = api->closed;
    void *closed_arg = api->arg;
    HL_CHECK(hl_list_is_empty(&api->feeds));
    hl_recent_fini(&api->recent);
    free(api);
    closed(closed_arg);
}

void hl_api_close(struct hl_api *api, void (*closed)(void *arg), void *arg)
{
    api->closed = closed;
    api->arg = arg;
    hl_api_drain(api);
    hl_presence_let_go(api, UINT64_MAX);
    hl_log_unsubscribe(api->config.log, &api->subscription);
    api->membership.set = &api->pending;
    api->pending.n_pending++;
    hl_registry_leave(&api->member);
    hl_pending_set_await(&api->pending, free_api, api);
}

void hl_api_stats(const struct hl_api *api, struct hl_api_stats *out_stats)
{
    *out_stats = api->stats;
    out_stats->feeds = api->n_feeds;
}

static struct hl_bytes bearer_secret(struct hl_bytes authorization)
{
    static const char scheme[] = "Bearer ";
    size_t size = sizeof(scheme) - 1;
    if (authorization.size < size || strncasecmp(authorization.data, scheme, size) != 0)
        return (struct hl_bytes){0};
    while (size < authorization.size && authorization.data[size] == ' ')
        size++;
    return (struct hl_bytes){authorization.data + size, authorization.size - size};
}

static int find_pass(struct hl_api *api, struct hl_exchange *exchange, struct hl_principal *out_who)
{
    const struct hl_passes *passes = &api->config.passes;
    if (passes->find == NULL || exchange->headers[HL_HEADER_COOKIE].size == 0)
        return HL_PASSES_NONE;
    return passes->find(passes->arg, exchange, out_who);
}

bool hl_api_has_pass(struct hl_api *api, struct hl_exchange *exchange)
{
    struct hl_principal who;
    return find_pass(api, exchange, &who) != HL_PASSES_NONE;
}

static void refuse_stranger(const struct hl_api *api, struct hl_exchange *exchange, bool has_bearer)
{
    struct hl_problem problem = {
        .code = HL_PROBLEM_UNAUTHORIZED,
        .detail = hl_bytes_of("Send Authorization: Bearer hlk_… with an API key that is active, or "
                              "sign in."),
        .extra = hl_bytes_of(api->config.passes.has_oidc ? "\"oidc\":true" : "")};
    hl_reply_add_text(exchange, "www-authenticate",
                      has_bearer ? "Bearer realm=\"holdline\", error=\"invalid_token\""
                                 : "Bearer realm=\"holdline\"");
    hl_exchange_problem_with(exchange, &problem);
}

bool hl_api_authenticate(struct hl_api *api, struct hl_exchange *exchange,
                         struct hl_principal *out_who)
{
    struct hl_bytes secret = bearer_secret(exchange->headers[HL_HEADER_AUTHORIZATION]);
    bool has_bearer = exchange->headers[HL_HEADER_AUTHORIZATION].size > 0;
    int r = has_bearer ? HL_PASSES_NONE : find_pass(api, exchange, out_who);
    if (has_bearer && hl_directory_find_secret(api->config.directory, secret, out_who) == 0)
        r = 0;
    if (r == 0) {
        hl_audit_memory_note_use(api, exchange, out_who);
        return true;
    }
    if (has_bearer)
        hl_audit_memory_note_refusal(api, exchange);
    api->stats.unauthorized++;
    if (r == HL_PASSES_FORBIDDEN)
        hl_exchange_problem(exchange, HL_PROBLEM_ORIGIN_FORBIDDEN,
                            "With a cookie only the gateway's own pages may do this.");
    else
        refuse_stranger(api, exchange, has_bearer);
    return false;
}

struct hl_author hl_api_author(const struct hl_principal *who)
{
    return (struct hl_author){.role = who->role == HL_KEY_INTEGRATION ? HL_ROLE_INTEGRATION
                                                                      : HL_ROLE_AGENT,
                              .id = who->id};
}

bool hl_api_may(const struct hl_principal *who, struct hl_exchange *exchange,
                enum hl_permission permission)
{
    if (hl_permission_has((enum hl_key_role)who->role, permission))
        return true;
    hl_exchange_problem(exchange, HL_PROBLEM_FORBIDDEN, "The role %s does not have %s.",
                        hl_key_role_name((enum hl_key_role)who->role),
                        hl_permission_name(permission));
    return false;
}

bool hl_api_is_agent(const struct hl_principal *who)
{
    return hl_permission_has((enum hl_key_role)who->role, HL_PERMISSION_CONVERSATION_WORK);
}
