/* Who asks: keys, the agents they belong to, and what these may see. */
#include <string.h>

#include <sodium.h>

#include "base/check.h"
#include "store/directory/service.h"

void hl_key_secret_make(const struct hl_random *random, char out_secret[HL_KEY_SECRET_SIZE],
                        uint8_t out_hash[HL_KEY_HASH_SIZE])
{
    uint8_t bytes[32];
    hl_random_fill(random, bytes, sizeof(bytes));
    memcpy(out_secret, "hlk_", 4);
    HL_CHECK(sodium_bin2base64(out_secret + 4, HL_KEY_SECRET_SIZE - 4, bytes, sizeof(bytes),
                               sodium_base64_VARIANT_URLSAFE_NO_PADDING) != NULL);
    sodium_memzero(bytes, sizeof(bytes));
    HL_CHECK(crypto_generichash(out_hash, HL_KEY_HASH_SIZE, (const uint8_t *)out_secret,
                                HL_KEY_SECRET_SIZE - 1, NULL, 0) == 0);
}

static const struct hl_key *find_hash(const struct hl_directory_snapshot *snapshot,
                                      const uint8_t hash[HL_KEY_HASH_SIZE])
{
    size_t low = 0;
    size_t high = snapshot->n_by_hash;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = memcmp(hash, snapshot->by_hash[middle]->hash, HL_KEY_HASH_SIZE);
        if (order == 0)
            return snapshot->by_hash[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

static void fill_principal(const struct hl_agent *agent, const struct hl_key *key,
                           struct hl_principal *out_principal)
{
    memset(out_principal, 0, sizeof(*out_principal));
    out_principal->id = agent->id;
    out_principal->role = agent->role;
    out_principal->created_ms = agent->record.created_ms;
    memcpy(out_principal->name, agent->name, strlen(agent->name));
    memcpy(out_principal->site, agent->record.site, sizeof(out_principal->site));
    out_principal->n_inboxes = agent->n_inboxes;
    memcpy(out_principal->inboxes, agent->inboxes, sizeof(out_principal->inboxes));
    if (key != NULL)
        out_principal->key = key->id;
}

static bool look_for_hash(struct hl_directory *directory, const uint8_t hash[HL_KEY_HASH_SIZE],
                          struct hl_principal *out_principal)
{
    struct hl_directory_snapshot *snapshot = hl_directory_snapshot(directory);
    const struct hl_key *key = find_hash(snapshot, hash);
    if (key != NULL)
        fill_principal(hl_snapshot_agent(snapshot, &key->agent), key, out_principal);
    hl_directory_snapshot_unref(snapshot);
    return key != NULL;
}

int hl_directory_find_secret(struct hl_directory *directory, struct hl_bytes secret,
                             struct hl_principal *out_principal)
{
    uint8_t hash[HL_KEY_HASH_SIZE];
    if (secret.size != HL_KEY_SECRET_SIZE - 1)
        return HL_DIRECTORY_UNKNOWN;
    HL_CHECK(crypto_generichash(hash, sizeof(hash), (const uint8_t *)secret.data, secret.size, NULL,
                                0) == 0);
    if (!look_for_hash(directory, hash, out_principal) &&
        (hl_directory_refresh(directory) != HL_DIRECTORY_CHANGED ||
         !look_for_hash(directory, hash, out_principal)))
        return HL_DIRECTORY_UNKNOWN;
    hl_directory_note_use(directory, &out_principal->key);
    return 0;
}

int hl_directory_find_agent(struct hl_directory *directory, const struct hl_id *agent,
                            struct hl_principal *out_principal)
{
    struct hl_directory_snapshot *snapshot = hl_directory_snapshot(directory);
    const struct hl_agent *found = hl_snapshot_agent(snapshot, agent);
    bool is_there = found != NULL && found->is_active;
    if (is_there)
        fill_principal(found, NULL, out_principal);
    hl_directory_snapshot_unref(snapshot);
    return is_there ? 0 : HL_DIRECTORY_UNKNOWN;
}

int hl_directory_renew(struct hl_directory *directory, struct hl_principal *principal)
{
    struct hl_directory_snapshot *snapshot = hl_directory_snapshot(directory);
    const struct hl_agent *agent = hl_snapshot_agent(snapshot, &principal->id);
    const struct hl_key *key = NULL;
    if (!hl_id_is_zero(&principal->key))
        key = hl_snapshot_key(snapshot, &principal->key);
    bool is_good = agent != NULL && agent->is_active &&
                   (hl_id_is_zero(&principal->key) || (key != NULL && key->revoked_ms == 0));
    if (is_good)
        fill_principal(agent, key, principal);
    hl_directory_snapshot_unref(snapshot);
    return is_good ? 0 : HL_DIRECTORY_UNKNOWN;
}

bool hl_principal_sees_site(const struct hl_principal *principal, const char *site)
{
    return principal->site[0] == '\0' || strcmp(principal->site, site) == 0;
}

bool hl_principal_sees(const struct hl_principal *principal, const char *site,
                       const struct hl_id *inbox)
{
    if (!hl_principal_sees_site(principal, site))
        return false;
    if (hl_id_is_zero(inbox)) /* older than the inboxes of its site */
        return true;
    for (size_t i = 0; i < principal->n_inboxes; i++) {
        if (hl_id_equal(&principal->inboxes[i], inbox))
            return true;
    }
    return principal->n_inboxes == 0;
}
