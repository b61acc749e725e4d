#include "store/directory/builder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/result.h"

int hl_snapshot_builder_begin(struct hl_snapshot_builder *builder)
{
    memset(builder, 0, sizeof(*builder));
    builder->snapshot = calloc(1, sizeof(*builder->snapshot));
    if (builder->snapshot == NULL)
        return -ENOMEM;
    atomic_init(&builder->snapshot->refs, 1);
    return 0;
}

/* Room for one more; capacities are the powers of two. The new item is zeroed. */
static void *grow_array(void *items, size_t n_items, size_t item_size)
{
    if ((n_items & (n_items - 1)) == 0)
        items = reallocarray(items, n_items == 0 ? 1 : n_items * 2, item_size);
    if (items != NULL)
        memset((char *)items + n_items * item_size, 0, item_size);
    return items;
}

static const char *get_text(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static uint32_t get_number(const json_t *object, const char *name)
{
    json_int_t value = json_integer_value(json_object_get(object, name));
    return value > 0 && value <= UINT32_MAX ? (uint32_t)value : 0;
}

static bool parse_id(const char *text, const char *prefix, struct hl_id *out_id)
{
    return text != NULL && hl_id_parse(hl_bytes_of(text), prefix, out_id) == 0;
}

static int fill_site(struct hl_site *site, struct hl_bytes secret)
{
    const json_t *document = site->record.document;
    const json_t *origins = json_object_get(document, "origins");
    site->name = get_text(document, "name");
    site->home_url = get_text(document, "home_url");
    site->locale = get_text(document, "locale");
    if (site->locale == NULL)
        site->locale = "en";
    site->search_text = !json_is_false(json_object_get(document, "search_text"));
    site->retention_days = get_number(document, "retention_days");
    if (site->name == NULL || json_array_size(origins) > HL_SITE_ORIGINS_MAX)
        return -EBADMSG;
    for (size_t i = 0; i < json_array_size(origins); i++) {
        site->origins[i] = json_string_value(json_array_get(origins, i));
        if (site->origins[i] == NULL)
            return -EBADMSG;
        site->n_origins++;
    }
    site->has_identity_secret = secret.size == HL_IDENTITY_SECRET_SIZE;
    if (site->has_identity_secret)
        memcpy(site->identity_secret, secret.data, HL_IDENTITY_SECRET_SIZE);
    return secret.size == 0 || site->has_identity_secret ? 0 : -EBADMSG;
}

static bool parse_minute(const char *text, uint16_t *out_minute)
{
    unsigned hour = 0;
    unsigned minute = 0;
    if (text == NULL || strlen(text) != 5 || sscanf(text, "%2u:%2u", &hour, &minute) != 2)
        return false;
    *out_minute = (uint16_t)(hour * 60 + minute);
    return hour <= 24 && minute < 60 && *out_minute <= 1440;
}

static bool parse_range(const json_t *range, struct hl_open_range *out_range)
{
    static const char *const days[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
    const char *day = get_text(range, "day");
    out_range->day = 7;
    for (uint8_t i = 0; i < 7 && day != NULL; i++) {
        if (strcmp(days[i], day) == 0)
            out_range->day = i;
    }
    return out_range->day < 7 && parse_minute(get_text(range, "open"), &out_range->open_min) &&
           parse_minute(get_text(range, "close"), &out_range->closed_min) &&
           out_range->open_min < out_range->closed_min;
}

static bool parse_date(const char *text, uint32_t *out_date)
{
    unsigned year = 0;
    unsigned month = 0;
    unsigned day = 0;
    if (text == NULL || sscanf(text, "%4u-%2u-%2u", &year, &month, &day) != 3)
        return false;
    *out_date = year * 10000 + month * 100 + day;
    return true;
}

static int fill_hours(struct hl_inbox *inbox, const json_t *hours)
{
    const json_t *week = json_object_get(hours, "week");
    const json_t *holidays = json_object_get(hours, "holidays");
    inbox->has_hours = json_is_object(hours);
    if (!inbox->has_hours)
        return 0;
    inbox->time_zone = get_text(hours, "time_zone");
    if (inbox->time_zone == NULL || json_array_size(week) > HL_OPEN_RANGES_MAX ||
        json_array_size(holidays) > HL_HOLIDAYS_MAX)
        return -EBADMSG;
    for (size_t i = 0; i < json_array_size(week); i++) {
        if (!parse_range(json_array_get(week, i), &inbox->week[inbox->n_week++]))
            return -EBADMSG;
    }
    for (size_t i = 0; i < json_array_size(holidays); i++) {
        const char *date = json_string_value(json_array_get(holidays, i));
        if (!parse_date(date, &inbox->holidays[inbox->n_holidays++]))
            return -EBADMSG;
    }
    return 0;
}

static int fill_inbox(struct hl_inbox *inbox)
{
    const json_t *document = inbox->record.document;
    const json_t *sla = json_object_get(document, "sla");
    const json_t *widget = json_object_get(document, "widget");
    inbox->name = get_text(document, "name");
    inbox->locale = get_text(document, "locale");
    if (inbox->locale == NULL)
        inbox->locale = "en";
    inbox->is_default = json_is_true(json_object_get(document, "is_default"));
    inbox->first_response_minutes = get_number(sla, "first_response_minutes");
    inbox->response_minutes = get_number(sla, "response_minutes");
    inbox->widget = json_is_object(widget) ? widget : NULL;
    if (inbox->name == NULL || !parse_id(inbox->record.id, HL_ID_INBOX, &inbox->id))
        return -EBADMSG;
    return fill_hours(inbox, json_object_get(document, "business_hours"));
}

static int fill_agent(struct hl_agent *agent)
{
    const json_t *document = agent->record.document;
    const json_t *inboxes = json_object_get(document, "inboxes");
    const char *role = get_text(document, "role");
    const char *availability = get_text(document, "availability");
    agent->name = get_text(document, "name");
    agent->email = get_text(document, "email");
    agent->role = (uint8_t)(role != NULL ? hl_key_role_find(role) : HL_KEY_ROLE_END);
    agent->is_active = json_is_true(json_object_get(document, "active"));
    agent->is_away = availability != NULL && strcmp(availability, "away") == 0;
    if (agent->name == NULL || strlen(agent->name) > HL_AGENT_NAME_SIZE_MAX ||
        agent->role == HL_KEY_ROLE_END || json_array_size(inboxes) > HL_AGENT_INBOXES_MAX ||
        !parse_id(agent->record.id, HL_ID_AGENT, &agent->id))
        return -EBADMSG;
    for (size_t i = 0; i < json_array_size(inboxes); i++) {
        const char *inbox = json_string_value(json_array_get(inboxes, i));
        if (!parse_id(inbox, HL_ID_INBOX, &agent->inboxes[agent->n_inboxes++]))
            return -EBADMSG;
    }
    return 0;
}

static int fill_key(struct hl_key *key, struct hl_bytes hash)
{
    const json_t *document = key->record.document;
    key->name = get_text(document, "name");
    key->revoked_ms = (int64_t)json_integer_value(json_object_get(document, "revoked_ms"));
    if (key->name == NULL || hash.size != HL_KEY_HASH_SIZE ||
        !parse_id(key->record.id, HL_ID_KEY, &key->id) ||
        !parse_id(get_text(document, "agent"), HL_ID_AGENT, &key->agent))
        return -EBADMSG;
    memcpy(key->hash, hash.data, HL_KEY_HASH_SIZE);
    return 0;
}

static int fill_canned(struct hl_canned *canned)
{
    const json_t *document = canned->record.document;
    canned->shortcut = get_text(document, "shortcut");
    canned->text = get_text(document, "text");
    canned->locale = get_text(document, "locale");
    return canned->shortcut != NULL && canned->text != NULL &&
                   parse_id(canned->record.id, HL_ID_CANNED, &canned->id)
               ? 0
               : -EBADMSG;
}

/* Each kind: room, the record, what it says. The snapshot counts the item at once, so that its
 * document is given back with it. */
#define ADD_ITEM(items, count, fill)                                                               \
    do {                                                                                           \
        void *grown = grow_array(snapshot->items, snapshot->count, sizeof(*snapshot->items));      \
        if (grown == NULL) {                                                                       \
            json_decref(record->document);                                                         \
            return -ENOMEM;                                                                        \
        }                                                                                          \
        snapshot->items = grown;                                                                   \
        snapshot->items[snapshot->count].record = *record;                                         \
        snapshot->count++;                                                                         \
        return fill;                                                                               \
    } while (0)

int hl_snapshot_builder_add(struct hl_snapshot_builder *builder, enum hl_record_kind kind,
                            const struct hl_record *record, struct hl_bytes secret)
{
    struct hl_directory_snapshot *snapshot = builder->snapshot;
    switch (kind) {
    case HL_RECORD_SITE:
        ADD_ITEM(sites, n_sites, fill_site(&snapshot->sites[snapshot->n_sites - 1], secret));
    case HL_RECORD_INBOX:
        ADD_ITEM(inboxes, n_inboxes, fill_inbox(&snapshot->inboxes[snapshot->n_inboxes - 1]));
    case HL_RECORD_AGENT:
        ADD_ITEM(agents, n_agents, fill_agent(&snapshot->agents[snapshot->n_agents - 1]));
    case HL_RECORD_KEY:
        ADD_ITEM(keys, n_keys, fill_key(&snapshot->keys[snapshot->n_keys - 1], secret));
    case HL_RECORD_CANNED:
        ADD_ITEM(canned, n_canned, fill_canned(&snapshot->canned[snapshot->n_canned - 1]));
    case HL_RECORD_JOB:
    case HL_RECORD_KIND_END:
        break;
    }
    json_decref(record->document);
    return -EBADMSG;
}

static int compare_hashes(const void *a, const void *b)
{
    const struct hl_key *const *one = a;
    const struct hl_key *const *other = b;
    return memcmp((*one)->hash, (*other)->hash, HL_KEY_HASH_SIZE);
}

int hl_snapshot_builder_finish(struct hl_snapshot_builder *builder, uint64_t version,
                               struct hl_directory_snapshot **out_snapshot)
{
    struct hl_directory_snapshot *snapshot = builder->snapshot;
    snapshot->version = version;
    snapshot->by_hash = calloc(snapshot->n_keys + 1, sizeof(struct hl_key *));
    if (snapshot->by_hash == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < snapshot->n_keys; i++) {
        const struct hl_key *key = &snapshot->keys[i];
        const struct hl_agent *agent = hl_snapshot_agent(snapshot, &key->agent);
        if (key->revoked_ms == 0 && agent != NULL && agent->is_active)
            snapshot->by_hash[snapshot->n_by_hash++] = key;
    }
    qsort(snapshot->by_hash, snapshot->n_by_hash, sizeof(struct hl_key *), compare_hashes);
    *out_snapshot = snapshot;
    memset(builder, 0, sizeof(*builder));
    return 0;
}

void hl_snapshot_builder_abandon(struct hl_snapshot_builder *builder)
{
    hl_directory_snapshot_unref(builder->snapshot);
    memset(builder, 0, sizeof(*builder));
}
