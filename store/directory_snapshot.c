#include "store/directory_snapshot.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"

static const char *const role_names[HL_KEY_ROLE_END] = {
    [HL_KEY_AGENT] = "agent",     [HL_KEY_INTEGRATION] = "integration",
    [HL_KEY_ADMIN] = "admin",     [HL_KEY_SUPERVISOR] = "supervisor",
    [HL_KEY_AUDITOR] = "auditor",
};

const char *hl_key_role_name(enum hl_key_role role)
{
    if (role < HL_KEY_AGENT || role >= HL_KEY_ROLE_END)
        return "unknown";
    return role_names[role];
}

enum hl_key_role hl_key_role_find(const char *name)
{
    for (enum hl_key_role role = HL_KEY_AGENT; role < HL_KEY_ROLE_END; role++) {
        if (strcmp(role_names[role], name) == 0)
            return role;
    }
    return HL_KEY_ROLE_END;
}

struct hl_directory_snapshot *hl_directory_snapshot_ref(struct hl_directory_snapshot *snapshot)
{
    unsigned before = atomic_fetch_add_explicit(&snapshot->refs, 1, memory_order_relaxed);
    HL_CHECK(before > 0);
    return snapshot;
}

static void free_documents(const struct hl_directory_snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->n_sites; i++)
        json_decref(snapshot->sites[i].record.document);
    for (size_t i = 0; i < snapshot->n_inboxes; i++)
        json_decref(snapshot->inboxes[i].record.document);
    for (size_t i = 0; i < snapshot->n_agents; i++)
        json_decref(snapshot->agents[i].record.document);
    for (size_t i = 0; i < snapshot->n_keys; i++)
        json_decref(snapshot->keys[i].record.document);
    for (size_t i = 0; i < snapshot->n_canned; i++)
        json_decref(snapshot->canned[i].record.document);
}

void hl_directory_snapshot_unref(struct hl_directory_snapshot *snapshot)
{
    if (snapshot == NULL || atomic_fetch_sub(&snapshot->refs, 1) != 1)
        return;
    free_documents(snapshot);
    if (snapshot->n_sites > 0) /* they hold the secrets of sites */
        sodium_memzero(snapshot->sites, snapshot->n_sites * sizeof(*snapshot->sites));
    free(snapshot->sites);
    free(snapshot->inboxes);
    free(snapshot->agents);
    free(snapshot->keys);
    free(snapshot->canned);
    free(snapshot->by_hash);
    free(snapshot);
}

/* The record is the first member of every item. */
static int compare_record(const void *id, const void *item)
{
    return strcmp(id, ((const struct hl_record *)item)->id);
}

static const void *find_record(const void *items, size_t n_items, size_t size, const char *prefix,
                               const struct hl_id *id)
{
    char text[HL_ID_TEXT_SIZE];
    if (n_items == 0)
        return NULL;
    hl_id_format(id, prefix, text);
    return bsearch(text, items, n_items, size, compare_record);
}

const struct hl_site *hl_snapshot_site(const struct hl_directory_snapshot *snapshot, const char *id)
{
    if (snapshot->n_sites == 0)
        return NULL;
    return bsearch(id, snapshot->sites, snapshot->n_sites, sizeof(struct hl_site), compare_record);
}

const struct hl_inbox *hl_snapshot_inbox(const struct hl_directory_snapshot *snapshot,
                                         const struct hl_id *id)
{
    return find_record(snapshot->inboxes, snapshot->n_inboxes, sizeof(struct hl_inbox), HL_ID_INBOX,
                       id);
}

const struct hl_inbox *hl_snapshot_default_inbox(const struct hl_directory_snapshot *snapshot,
                                                 const char *site)
{
    for (size_t i = 0; i < snapshot->n_inboxes; i++) {
        const struct hl_inbox *inbox = &snapshot->inboxes[i];
        if (inbox->is_default && strcmp(inbox->record.site, site) == 0)
            return inbox;
    }
    return NULL;
}

const struct hl_inbox *hl_snapshot_inbox_named(const struct hl_directory_snapshot *snapshot,
                                               const char *site, const char *name)
{
    for (size_t i = 0; i < snapshot->n_inboxes; i++) {
        const struct hl_inbox *inbox = &snapshot->inboxes[i];
        if (strcmp(inbox->name, name) == 0 && strcmp(inbox->record.site, site) == 0)
            return inbox;
    }
    return NULL;
}

const struct hl_agent *hl_snapshot_agent(const struct hl_directory_snapshot *snapshot,
                                         const struct hl_id *id)
{
    return find_record(snapshot->agents, snapshot->n_agents, sizeof(struct hl_agent), HL_ID_AGENT,
                       id);
}

const struct hl_agent *hl_snapshot_agent_of_email(const struct hl_directory_snapshot *snapshot,
                                                  const char *email)
{
    for (size_t i = 0; i < snapshot->n_agents; i++) {
        const struct hl_agent *agent = &snapshot->agents[i];
        if (agent->is_active && agent->email != NULL && strcasecmp(agent->email, email) == 0)
            return agent;
    }
    return NULL;
}

const struct hl_key *hl_snapshot_key(const struct hl_directory_snapshot *snapshot,
                                     const struct hl_id *id)
{
    return find_record(snapshot->keys, snapshot->n_keys, sizeof(struct hl_key), HL_ID_KEY, id);
}

const struct hl_canned *hl_snapshot_canned(const struct hl_directory_snapshot *snapshot,
                                           const struct hl_id *id)
{
    return find_record(snapshot->canned, snapshot->n_canned, sizeof(struct hl_canned), HL_ID_CANNED,
                       id);
}
