/* The site of the configuration, made at the first start. */
#include <string.h>

#include "base/json.h"
#include "base/result.h"
#include "store/directory/service.h"

static struct hl_id make_id(struct hl_directory *directory, int64_t now_ms)
{
    uint8_t random[10];
    hl_random_fill(directory->random, random, sizeof(random));
    return hl_id_v7(now_ms, random);
}

static void fill_inbox(struct hl_directory_change *change, const char *site, const struct hl_id *id)
{
    static const char document[] = "{\"is_default\":true,\"name\":\"Inbox\"}";
    *change = (struct hl_directory_change){.operation = HL_DIRECTORY_CREATE,
                                           .kind = HL_RECORD_INBOX,
                                           .document = hl_bytes_of(document)};
    hl_id_format(id, HL_ID_INBOX, change->id);
    hl_record_label(change->label, site, "Inbox");
    memcpy(change->site, site, strlen(site) + 1);
}

int hl_directory_ensure_site(struct hl_directory *directory, const char *site)
{
    struct hl_directory_change inbox;
    struct hl_buffer document;
    struct hl_directory_snapshot *snapshot = hl_directory_snapshot(directory);
    bool is_there = hl_snapshot_site(snapshot, site) != NULL;
    hl_directory_snapshot_unref(snapshot);
    if (is_there)
        return 0;
    int64_t now_ms = hl_clock_wall_ms(directory->clock);
    struct hl_id id = make_id(directory, now_ms);
    fill_inbox(&inbox, site, &id);
    hl_buffer_init(&document, 1024);
    hl_buffer_append_text(&document, "{\"name\":");
    hl_json_append_string(&document, hl_bytes_of(site));
    hl_buffer_append_text(&document, ",\"origins\":[],\"search_text\":true}");
    struct hl_directory_change change = {.operation = HL_DIRECTORY_CREATE,
                                         .kind = HL_RECORD_SITE,
                                         .document = hl_buffer_bytes(&document),
                                         .now_ms = now_ms,
                                         .with = &inbox};
    memcpy(change.id, site, strlen(site) + 1);
    memcpy(change.site, site, strlen(site) + 1);
    int r = hl_buffer_failed(&document) ? -ENOMEM : hl_directory_apply(directory, &change);
    hl_buffer_fini(&document);
    return r == HL_DIRECTORY_TAKEN ? 0 : r; /* by another process, just now */
}
