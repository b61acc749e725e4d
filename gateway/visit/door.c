#include "gateway/visit/door.h"

#include <string.h>

#include <sodium.h>

#include "gateway/origin.h"

_Static_assert((int)HL_IDENTITY_SECRET_SIZE == (int)crypto_auth_hmacsha256_KEYBYTES, "its key");

static bool copy_name(struct hl_bytes name, char *out, size_t out_size)
{
    if (name.size >= out_size || memchr(name.data, '\0', name.size) != NULL)
        return false;
    memcpy(out, name.data, name.size);
    out[name.size] = '\0';
    return true;
}

static const struct hl_site *find_site(const struct hl_doors *doors, struct hl_bytes site,
                                       const struct hl_directory_snapshot *snapshot)
{
    char id[HL_SITE_SIZE_MAX + 1];
    if (site.size == 0)
        return hl_snapshot_site(snapshot, doors->site);
    return copy_name(site, id, sizeof(id)) ? hl_snapshot_site(snapshot, id) : NULL;
}

static const struct hl_inbox *find_inbox(const struct hl_directory_snapshot *snapshot,
                                         const char *site, struct hl_bytes inbox)
{
    char name[256];
    struct hl_id id;
    const struct hl_inbox *found = NULL;
    if (inbox.size == 0)
        return hl_snapshot_default_inbox(snapshot, site);
    if (hl_id_parse(inbox, HL_ID_INBOX, &id) == 0)
        found = hl_snapshot_inbox(snapshot, &id);
    else if (copy_name(inbox, name, sizeof(name)))
        found = hl_snapshot_inbox_named(snapshot, site, name);
    return found != NULL && strcmp(found->record.site, site) == 0 ? found : NULL;
}

int hl_door_enter(const struct hl_doors *doors, struct hl_bytes site, struct hl_bytes inbox,
                  struct hl_door *out_door)
{
    struct hl_directory_snapshot *snapshot = hl_directory_snapshot(doors->directory);
    *out_door = (struct hl_door){.snapshot = snapshot};
    out_door->site = find_site(doors, site, snapshot);
    if (out_door->site != NULL)
        out_door->inbox = find_inbox(snapshot, out_door->site->record.id, inbox);
    if (out_door->site != NULL && (out_door->inbox != NULL || inbox.size == 0))
        return 0;
    int r = out_door->site == NULL ? HL_VISIT_NO_SITE : HL_VISIT_NO_INBOX;
    hl_door_leave(out_door);
    return r;
}

void hl_door_leave(struct hl_door *door)
{
    hl_directory_snapshot_unref(door->snapshot);
    *door = (struct hl_door){0};
}

bool hl_door_allows(const struct hl_doors *doors, const struct hl_door *door,
                    struct hl_bytes origin, bool is_same_host)
{
    const struct hl_bytes no_host = {0};
    return origin.size == 0 || is_same_host ||
           hl_origin_is_allowed(doors->origins, doors->n_origins, origin, no_host) ||
           hl_origin_is_allowed(door->site->origins, door->site->n_origins, origin, no_host);
}

bool hl_door_allows_request(const struct hl_doors *doors, const struct hl_door *door,
                            const struct hl_exchange *exchange)
{
    struct hl_bytes origin = exchange->headers[HL_HEADER_ORIGIN];
    bool is_same_host = hl_origin_is_allowed(NULL, 0, origin, exchange->headers[HL_HEADER_HOST]);
    return hl_door_allows(doors, door, origin, is_same_host);
}

bool hl_door_proves(const struct hl_door *door, struct hl_bytes identity, struct hl_bytes hash)
{
    uint8_t proof[crypto_auth_hmacsha256_BYTES];
    size_t size = 0;
    const char *end = NULL;
    if (!door->site->has_identity_secret || hash.size != 2 * sizeof(proof) ||
        sodium_hex2bin(proof, sizeof(proof), hash.data, hash.size, NULL, &size, &end) != 0 ||
        size != sizeof(proof) || end != hash.data + hash.size)
        return false;
    return crypto_auth_hmacsha256_verify(proof, (const uint8_t *)identity.data, identity.size,
                                         door->site->identity_secret) == 0;
}

bool hl_doors_know_origin(void *arg, struct hl_bytes origin)
{
    const struct hl_doors *doors = arg;
    const struct hl_bytes no_host = {0};
    struct hl_directory_snapshot *snapshot = hl_directory_snapshot(doors->directory);
    bool is_known = hl_origin_is_allowed(doors->origins, doors->n_origins, origin, no_host);
    for (size_t i = 0; !is_known && i < snapshot->n_sites; i++) {
        const struct hl_site *site = &snapshot->sites[i];
        is_known = hl_origin_is_allowed(site->origins, site->n_origins, origin, no_host);
    }
    hl_directory_snapshot_unref(snapshot);
    return is_known;
}

/* The inbox it was let into before stays, as long as the site has it. */
static const struct hl_inbox *keep_inbox(const struct hl_door *door, const struct hl_id *before)
{
    const struct hl_inbox *inbox =
        hl_id_is_zero(before) ? NULL : hl_snapshot_inbox(door->snapshot, before);
    if (inbox != NULL && strcmp(inbox->record.site, door->site->record.id) == 0)
        return inbox;
    return door->inbox;
}

int hl_doors_admit(void *arg, const struct hl_visit *visit, struct hl_id *out_inbox)
{
    const struct hl_doors *doors = arg;
    struct hl_door door;
    *out_inbox = (struct hl_id){{0}};
    int r = hl_door_enter(doors, visit->site, visit->inbox, &door);
    if (r != 0)
        return r;
    const struct hl_inbox *inbox = keep_inbox(&door, &visit->inbox_before);
    if (inbox != NULL)
        *out_inbox = inbox->id;
    if (!visit->is_agent &&
        !hl_door_allows(doors, &door, visit->link->origin, visit->link->is_same_host))
        r = HL_VISIT_NO_ORIGIN;
    else if (visit->identity.size > 0 &&
             !hl_door_proves(&door, visit->identity, visit->identity_hash))
        r = HL_VISIT_NO_IDENTITY;
    hl_door_leave(&door);
    return r;
}
