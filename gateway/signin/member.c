#include "gateway/signin/member.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/result.h"

enum { DOCUMENT_BYTES_MAX = 64 * 1024 };

static bool is_text(const json_t *object, const char *name, const char *wanted)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL && wanted != NULL && strcmp(text, wanted) == 0;
}

static const json_t *link_of(const struct hl_agent *agent, const char *issuer)
{
    const json_t *link = json_object_get(agent->record.document, "oidc");
    return is_text(link, "issuer", issuer) && is_text(link, "email", agent->email) ? link : NULL;
}

static const struct hl_agent *find_linked(const struct hl_directory_snapshot *snapshot,
                                          const char *issuer, const char *subject)
{
    for (size_t i = 0; i < snapshot->n_agents; i++) {
        const struct hl_agent *agent = &snapshot->agents[i];
        if (agent->is_active && is_text(link_of(agent, issuer), "subject", subject))
            return agent;
    }
    return NULL;
}

int hl_member_find(const struct hl_directory_snapshot *snapshot, const char *issuer,
                   const struct hl_provider_person *person, struct hl_member *out_member)
{
    const struct hl_agent *agent = find_linked(snapshot, issuer, person->subject);
    bool is_linked = agent != NULL;
    memset(out_member, 0, sizeof(*out_member));
    if (agent == NULL)
        agent = hl_snapshot_agent_of_email(snapshot, person->email);
    if (agent == NULL || agent->role == HL_KEY_INTEGRATION)
        return HL_MEMBER_UNKNOWN;
    if (!is_linked && link_of(agent, issuer) != NULL)
        return HL_MEMBER_OTHER;
    out_member->agent = agent->id;
    out_member->is_linked = is_linked;
    out_member->revision = agent->record.revision;
    memcpy(out_member->id, agent->record.id, sizeof(out_member->id));
    return 0;
}

/* Puts the link into the document and the document into the change. Takes `document_json`. */
static int fill_document(json_t *document_json, const char *issuer, const char *subject,
                         const char *email, struct hl_directory_change *change,
                         struct hl_buffer *document)
{
    json_t *link =
        json_pack("{s:s, s:s, s:s}", "issuer", issuer, "subject", subject, "email", email);
    hl_buffer_init(document, DOCUMENT_BYTES_MAX);
    bool is_good =
        document_json != NULL && link != NULL && json_object_set(document_json, "oidc", link) == 0;
    if (is_good)
        hl_json_append_canonical(document, document_json);
    json_decref(link);
    json_decref(document_json);
    if (!is_good || hl_buffer_failed(document))
        return -ENOMEM;
    hl_record_label(change->label, "", email);
    change->kind = HL_RECORD_AGENT;
    change->document = hl_buffer_bytes(document);
    return 0;
}

int hl_member_fill_link(const struct hl_directory_snapshot *snapshot, const char *issuer,
                        const struct hl_provider_person *person, const struct hl_member *member,
                        struct hl_directory_change *out_change, struct hl_buffer *document)
{
    const struct hl_agent *agent = hl_snapshot_agent(snapshot, &member->agent);
    memset(out_change, 0, sizeof(*out_change));
    hl_buffer_init(document, 1);
    if (agent == NULL || agent->email == NULL)
        return HL_MEMBER_UNKNOWN;
    out_change->operation = HL_DIRECTORY_REPLACE;
    out_change->has_if_revision = true;
    out_change->if_revision = member->revision;
    memcpy(out_change->id, member->id, sizeof(out_change->id));
    return fill_document(json_deep_copy(agent->record.document), issuer, person->subject,
                         agent->email, out_change, document);
}

static void lower(const char *text, char *out, size_t out_size)
{
    size_t size = 0;
    for (; text[size] != '\0' && size + 1 < out_size; size++)
        out[size] = (char)tolower((unsigned char)text[size]);
    out[size] = '\0';
}

/* Their name, or the part of the address before the @; short enough for the directory. */
static void choose_name(const struct hl_provider_person *person,
                        char out_name[HL_AGENT_NAME_SIZE_MAX + 1])
{
    size_t size = strcspn(person->email, "@");
    const char *name = person->email;
    if (person->name[0] != '\0' && strlen(person->name) <= HL_AGENT_NAME_SIZE_MAX) {
        name = person->name;
        size = strlen(name);
    }
    if (size > HL_AGENT_NAME_SIZE_MAX)
        size = HL_AGENT_NAME_SIZE_MAX;
    memcpy(out_name, name, size);
    out_name[size] = '\0';
}

int hl_member_fill_new(const char *issuer, const struct hl_provider_person *person,
                       enum hl_key_role role, const struct hl_id *agent,
                       struct hl_directory_change *out_change, struct hl_buffer *document)
{
    char email[HL_PROVIDER_TEXT_SIZE];
    char name[HL_AGENT_NAME_SIZE_MAX + 1];
    lower(person->email, email, sizeof(email));
    choose_name(person, name);
    memset(out_change, 0, sizeof(*out_change));
    out_change->operation = HL_DIRECTORY_CREATE;
    out_change->n_max = HL_AGENTS_MAX;
    hl_id_format(agent, HL_ID_AGENT, out_change->id);
    return fill_document(json_pack("{s:b, s:s, s:[], s:s, s:s}", "active", 1, "email", email,
                                   "inboxes", "name", name, "role", hl_key_role_name(role)),
                         issuer, person->subject, email, out_change, document);
}
