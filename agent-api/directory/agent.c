/* GET /v1/agent: who asks, and what they may see. */
#include "agent-api/api_state.h"
#include "agent-api/present.h"

static void append_text(struct hl_buffer *out, const char *name, const char *text)
{
    hl_buffer_printf(out, ",\"%s\":", name);
    if (text != NULL && text[0] != '\0')
        hl_json_append_string(out, hl_bytes_of(text));
    else
        hl_buffer_append_text(out, "null");
}

static void append_inboxes(struct hl_buffer *out, const struct hl_principal *who)
{
    char id[HL_ID_TEXT_SIZE];
    hl_buffer_append_text(out, ",\"inboxes\":[");
    for (size_t i = 0; i < who->n_inboxes; i++) {
        hl_id_format(&who->inboxes[i], HL_ID_INBOX, id);
        hl_buffer_printf(out, "%s\"%s\"", i > 0 ? "," : "", id);
    }
    hl_buffer_append_text(out, "]");
}

static void append_sites(struct hl_buffer *out, const struct hl_principal *who,
                         const struct hl_directory_snapshot *snapshot)
{
    bool is_first = true;
    hl_buffer_append_text(out, ",\"sites\":[");
    for (size_t i = 0; i < snapshot->n_sites; i++) {
        if (!hl_principal_sees_site(who, snapshot->sites[i].record.id))
            continue;
        hl_buffer_append_text(out, is_first ? "" : ",");
        hl_json_append_string(out, hl_bytes_of(snapshot->sites[i].record.id));
        is_first = false;
    }
    hl_buffer_append_text(out, "]");
}

static void append_agent(struct hl_api *api, const struct hl_principal *who, struct hl_buffer *out)
{
    struct hl_author author = hl_api_author(who);
    struct hl_directory_snapshot *snapshot = hl_directory_snapshot(api->config.directory);
    const struct hl_agent *agent = hl_snapshot_agent(snapshot, &who->id);
    hl_buffer_append_text(out, "{\"id\":");
    hl_present_author_id(out, &author);
    hl_buffer_append_text(out, ",\"name\":");
    hl_json_append_string(out, hl_bytes_of(who->name));
    hl_buffer_printf(out, ",\"role\":\"%s\",", hl_key_role_name((enum hl_key_role)who->role));
    hl_present_moment(out, "created_at", who->created_ms);
    append_text(out, "email", agent != NULL ? agent->email : NULL);
    append_text(out, "site", who->site);
    append_inboxes(out, who);
    append_sites(out, who, snapshot);
    hl_buffer_printf(out, ",\"availability\":\"%s\",\"online\":%s}",
                     agent != NULL && agent->is_away ? "away" : "online",
                     agent != NULL && !agent->is_away && hl_online_has(api->config.online, &who->id)
                         ? "true"
                         : "false");
    hl_directory_snapshot_unref(snapshot);
}

void hl_api_answer_agent(struct hl_api *api, struct hl_exchange *exchange,
                         const struct hl_principal *who)
{
    struct hl_buffer body;
    hl_buffer_init(&body, HL_REPLY_BYTES_MAX);
    append_agent(api, who, &body);
    hl_reply_json(exchange, 200, &body);
    hl_buffer_fini(&body);
}

void hl_agent_get(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params)
{
    struct hl_api *api = arg;
    struct hl_principal who;
    (void)params;
    if (hl_api_authenticate(api, exchange, &who))
        hl_api_answer_agent(api, exchange, &who);
}
