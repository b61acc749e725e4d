#include "store/directory_people.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/check.h"
#include "base/json.h"
#include "base/moment.h"
#include "base/result.h"
#include "store/directory/service.h"

enum { DOCUMENT_MAX = 64 * 1024 };

static struct hl_id make_id(struct hl_directory *directory)
{
    uint8_t random[10];
    hl_random_fill(directory->random, random, sizeof(random));
    return hl_id_v7(hl_clock_wall_ms(directory->clock), random);
}

/* Members in the order of the canonical form. */
static void append_agent(struct hl_buffer *out, const struct hl_person_wish *wish)
{
    hl_buffer_append_text(out, "{\"active\":true");
    if (wish->email != NULL) {
        hl_buffer_append_text(out, ",\"email\":");
        hl_json_append_string(out, hl_bytes_of(wish->email));
    }
    hl_buffer_append_text(out, ",\"inboxes\":[],\"name\":");
    hl_json_append_string(out, hl_bytes_of(wish->name));
    hl_buffer_printf(out, ",\"role\":\"%s\"}", hl_key_role_name(wish->role));
}

static void append_key(struct hl_buffer *out, const struct hl_id *agent, const char *name)
{
    char id[HL_ID_TEXT_SIZE];
    hl_id_format(agent, HL_ID_AGENT, id);
    hl_buffer_printf(out, "{\"agent\":\"%s\",\"name\":", id);
    hl_json_append_string(out, hl_bytes_of(name));
    hl_buffer_append_text(out, "}");
}

struct note { /* what the audit log will say */
    struct hl_directory_audit audit;
    struct hl_buffer body;
};

/* Who has the command line has no name here. `at`, since it may be recorded later. False: no
 * memory. */
static bool write_note(struct hl_directory *directory, struct note *note, const char *action,
                       const char *object, const char *site)
{
    static const struct hl_author operator_author = {.role = HL_ROLE_SYSTEM};
    struct hl_buffer *out = &note->body;
    hl_directory_audit_init(&note->audit, directory->random, &operator_author, site);
    hl_buffer_init(out, DOCUMENT_MAX);
    hl_buffer_printf(out, "{\"action\":\"%s\",\"actor\":{\"role\":\"operator\"},\"at\":\"", action);
    hl_moment_append(out, hl_clock_wall_ms(directory->clock));
    hl_buffer_append_text(out, "\",\"object\":");
    hl_json_append_string(out, hl_bytes_of(object));
    if (site[0] != '\0') {
        hl_buffer_append_text(out, ",\"site\":");
        hl_json_append_string(out, hl_bytes_of(site));
    }
    hl_buffer_append_text(out, "}");
    note->audit.body = hl_buffer_bytes(out);
    return !hl_buffer_failed(out);
}

static void fill_key(struct hl_directory_change *change, const struct hl_id *key,
                     const uint8_t hash[HL_KEY_HASH_SIZE], const struct hl_buffer *document)
{
    memset(change, 0, sizeof(*change));
    change->operation = HL_DIRECTORY_CREATE;
    change->kind = HL_RECORD_KEY;
    hl_id_format(key, HL_ID_KEY, change->id);
    change->document = hl_buffer_bytes(document);
    change->secret = (struct hl_bytes){(const char *)hash, HL_KEY_HASH_SIZE};
    change->n_max = HL_KEYS_MAX;
}

/* Applies the creation of a key. */
static int create_key(struct hl_directory *directory, struct hl_directory_change *change,
                      const struct hl_buffer *document, const char *site)
{
    struct note note;
    int r = -ENOMEM;
    change->now_ms = hl_clock_wall_ms(directory->clock);
    change->audit = &note.audit;
    if (write_note(directory, &note, "key.created", change->id, site) &&
        !hl_buffer_failed(document))
        r = hl_directory_apply(directory, change);
    hl_buffer_fini(&note.body);
    return r;
}

/* Applies the creation of an agent with the key. */
static int create_person(struct hl_directory *directory, struct hl_directory_change *agent,
                         struct hl_directory_change *key, const struct hl_buffer *agent_document,
                         const struct hl_buffer *key_document)
{
    struct note notes[2];
    int r = -ENOMEM;
    agent->with = key;
    agent->now_ms = hl_clock_wall_ms(directory->clock);
    agent->audit = &notes[0].audit;
    key->audit = &notes[1].audit;
    bool is_good = write_note(directory, &notes[0], "agent.created", agent->id, agent->site);
    is_good = write_note(directory, &notes[1], "key.created", key->id, agent->site) && is_good;
    if (is_good && !hl_buffer_failed(agent_document) && !hl_buffer_failed(key_document))
        r = hl_directory_apply(directory, agent);
    hl_buffer_fini(&notes[0].body);
    hl_buffer_fini(&notes[1].body);
    return r;
}

int hl_directory_add_person(struct hl_directory *directory, const struct hl_person_wish *wish,
                            char out_secret[HL_KEY_SECRET_SIZE], struct hl_id *out_agent)
{
    struct hl_buffer agent;
    struct hl_buffer document;
    struct hl_directory_change key;
    uint8_t hash[HL_KEY_HASH_SIZE];
    struct hl_directory_change change = {
        .operation = HL_DIRECTORY_CREATE, .kind = HL_RECORD_AGENT, .n_max = HL_AGENTS_MAX};
    struct hl_id id = make_id(directory);
    struct hl_id key_id = make_id(directory);
    hl_buffer_init(&agent, DOCUMENT_MAX);
    hl_buffer_init(&document, DOCUMENT_MAX);
    append_agent(&agent, wish);
    append_key(&document, &id, wish->name);
    hl_key_secret_make(directory->random, out_secret, hash);
    fill_key(&key, &key_id, hash, &document);
    hl_id_format(&id, HL_ID_AGENT, change.id);
    if (wish->site != NULL)
        memcpy(change.site, wish->site, strlen(wish->site) + 1);
    if (wish->email != NULL)
        hl_record_label(change.label, "", wish->email);
    change.document = hl_buffer_bytes(&agent);
    int r = create_person(directory, &change, &key, &agent, &document);
    hl_buffer_fini(&agent);
    hl_buffer_fini(&document);
    if (r != 0)
        sodium_memzero(out_secret, HL_KEY_SECRET_SIZE);
    *out_agent = id;
    return r;
}

int hl_directory_add_key(struct hl_directory *directory, const struct hl_id *agent,
                         const char *name, char out_secret[HL_KEY_SECRET_SIZE],
                         struct hl_id *out_key)
{
    struct hl_buffer document;
    struct hl_principal principal;
    struct hl_directory_change change;
    uint8_t hash[HL_KEY_HASH_SIZE];
    if (hl_directory_find_agent(directory, agent, &principal) != 0)
        return HL_DIRECTORY_UNKNOWN;
    *out_key = make_id(directory);
    hl_buffer_init(&document, DOCUMENT_MAX);
    append_key(&document, agent, name);
    hl_key_secret_make(directory->random, out_secret, hash);
    fill_key(&change, out_key, hash, &document);
    int r = create_key(directory, &change, &document, principal.site);
    hl_buffer_fini(&document);
    if (r != 0)
        sodium_memzero(out_secret, HL_KEY_SECRET_SIZE);
    return r;
}

/* Replaces one member of a record's document and retires the record. Takes `value`. The audit log
 * gets the action, at the site. */
static int retire_record(struct hl_directory *directory, enum hl_record_kind kind,
                         const struct hl_record *record, const char *member, json_t *value,
                         const char *action, const char *site)
{
    struct note note;
    struct hl_buffer document;
    json_t *changed = json_copy(record->document);
    struct hl_directory_change change = {.operation = HL_DIRECTORY_REPLACE,
                                         .kind = kind,
                                         .has_if_revision = true,
                                         .if_revision = record->revision,
                                         .is_retired = true,
                                         .now_ms = hl_clock_wall_ms(directory->clock)};
    if (changed == NULL || json_object_set_new(changed, member, value) != 0) {
        json_decref(changed);
        return -ENOMEM;
    }
    memcpy(change.id, record->id, sizeof(change.id));
    hl_buffer_init(&document, DOCUMENT_MAX);
    hl_json_append_canonical(&document, changed);
    change.document = hl_buffer_bytes(&document);
    change.audit = &note.audit;
    bool is_good = write_note(directory, &note, action, record->id, site);
    is_good = is_good && !hl_buffer_failed(&document);
    int r = is_good ? hl_directory_apply(directory, &change) : -ENOMEM;
    hl_buffer_fini(&note.body);
    hl_buffer_fini(&document);
    json_decref(changed);
    return r;
}

int hl_directory_let_go(struct hl_directory *directory, const struct hl_id *agent)
{
    int r = HL_DIRECTORY_UNKNOWN;
    struct hl_directory_snapshot *snapshot = hl_directory_snapshot(directory);
    const struct hl_agent *found = hl_snapshot_agent(snapshot, agent);
    if (found != NULL && found->is_active)
        r = retire_record(directory, HL_RECORD_AGENT, &found->record, "active", json_false(),
                          "agent.deactivated", found->record.site);
    hl_directory_snapshot_unref(snapshot);
    return r;
}

int hl_directory_revoke_key(struct hl_directory *directory, const struct hl_id *key)
{
    int r = HL_DIRECTORY_UNKNOWN;
    int64_t now_ms = hl_clock_wall_ms(directory->clock);
    struct hl_directory_snapshot *snapshot = hl_directory_snapshot(directory);
    const struct hl_key *found = hl_snapshot_key(snapshot, key);
    if (found != NULL && found->revoked_ms == 0) {
        const struct hl_agent *agent = hl_snapshot_agent(snapshot, &found->agent);
        r = retire_record(directory, HL_RECORD_KEY, &found->record, "revoked_ms",
                          json_integer(now_ms), "key.revoked",
                          agent != NULL ? agent->record.site : "");
    }
    hl_directory_snapshot_unref(snapshot);
    return r;
}
