#include "gateway/server/policy.h"

#include "agent-api/timers.h"

static bool may_search(void *arg, const char *name)
{
    const struct hl_policy *policy = arg;
    struct hl_directory_snapshot *snapshot = hl_directory_snapshot(policy->directory);
    const struct hl_site *site = hl_snapshot_site(snapshot, name);
    bool is_searched = site == NULL || site->search_text;
    hl_directory_snapshot_unref(snapshot);
    return is_searched;
}

static int64_t make_due(void *arg, const struct hl_index_wait *wait)
{
    const struct hl_policy *policy = arg;
    struct hl_directory_snapshot *snapshot = hl_directory_snapshot(policy->directory);
    const struct hl_inbox *inbox = hl_id_is_zero(&wait->inbox)
                                       ? hl_snapshot_default_inbox(snapshot, wait->site)
                                       : hl_snapshot_inbox(snapshot, &wait->inbox);
    int64_t due_ms = hl_timers_due(inbox, wait);
    hl_directory_snapshot_unref(snapshot);
    return due_ms;
}

/* Agents and keys change often and say nothing of this: only sites and inboxes count. */
static uint64_t version_of(const struct hl_directory_snapshot *snapshot)
{
    uint64_t version = snapshot->n_sites * 31 + snapshot->n_inboxes;
    for (size_t i = 0; i < snapshot->n_sites; i++)
        version = version * 1099511628211u + snapshot->sites[i].record.revision;
    for (size_t i = 0; i < snapshot->n_inboxes; i++)
        version = version * 1099511628211u + snapshot->inboxes[i].record.revision;
    return version;
}

static uint64_t tell_version(void *arg)
{
    struct hl_policy *policy = arg;
    uint64_t directory_version = hl_directory_version(policy->directory);
    if (directory_version == policy->directory_version)
        return policy->version;
    struct hl_directory_snapshot *snapshot = hl_directory_snapshot(policy->directory);
    policy->directory_version = directory_version;
    policy->version = version_of(snapshot);
    hl_directory_snapshot_unref(snapshot);
    return policy->version;
}

struct hl_index_policy hl_policy_of(struct hl_policy *policy, struct hl_directory *directory)
{
    policy->directory = directory;
    return (struct hl_index_policy){
        .arg = policy, .search_text = may_search, .due = make_due, .version = tell_version};
}
