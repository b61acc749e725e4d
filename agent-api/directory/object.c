#include "agent-api/directory/object.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent-api/audit.h"
#include "agent-api/conversation/change.h"
#include "agent-api/once.h"
#include "agent-api/present.h"
#include "base/check.h"
#include "base/result.h"

enum { DOCUMENT_MAX = 64 * 1024, STORED_MAX = 128 * 1024 };

struct hl_id hl_object_make_id(struct hl_api *api)
{
    uint8_t random[10];
    hl_random_fill(api->config.random, random, sizeof(random));
    return hl_id_v7(hl_clock_wall_ms(api->config.clock), random);
}

static void clean_object(struct hl_call *call)
{
    struct hl_object *object = HL_CONTAINER_OF(call, struct hl_object, call);
    json_decref(object->record.document);
    hl_buffer_fini(&object->document);
    hl_buffer_fini(&object->with_document);
    hl_buffer_fini(&object->body);
    hl_buffer_fini(&object->stored);
    hl_buffer_fini(&object->audit_body);
    if (object->change.replayed)
        hl_buffer_fini(&object->change.answer);
}

static struct hl_object *begin_object(struct hl_call *call, const struct hl_object_kind *kind)
{
    struct hl_object *object = HL_CONTAINER_OF(call, struct hl_object, call);
    object->kind = kind;
    object->call.clean = clean_object;
    hl_buffer_init(&object->document, DOCUMENT_MAX);
    hl_buffer_init(&object->with_document, DOCUMENT_MAX);
    hl_buffer_init(&object->body, STORED_MAX);
    hl_buffer_init(&object->stored, STORED_MAX);
    return object;
}

void hl_object_append(struct hl_api *api, const struct hl_object_kind *kind,
                      const struct hl_directory_snapshot *snapshot, const struct hl_record *record,
                      struct hl_buffer *out)
{
    hl_buffer_printf(out, "{\"id\":\"%s\"", record->id);
    if (kind->kind != HL_RECORD_SITE && kind->kind != HL_RECORD_KEY) {
        hl_buffer_append_text(out, ",\"site\":");
        if (record->site[0] != '\0')
            hl_json_append_string(out, hl_bytes_of(record->site));
        else
            hl_buffer_append_text(out, "null");
    }
    hl_buffer_append_text(out, ",");
    hl_fields_append(out, kind->fields, kind->n_fields, record->document);
    if (kind->append_more != NULL)
        kind->append_more(api, snapshot, record, out);
    hl_buffer_append_text(out, ",");
    hl_present_moment(out, "created_at", record->created_ms);
    hl_buffer_append_text(out, ",");
    hl_present_moment(out, "updated_at", record->updated_ms);
    hl_buffer_printf(out, ",\"etag\":\"\\\"r%" PRIu64 "\\\"\"}", record->revision);
}

static void fill_audit(struct hl_object *object, const struct hl_exchange *exchange)
{
    const struct hl_audit_event event = {
        .action = object->action, .site = object->record.site, .object = object->record.id};
    hl_audit_fill(object->call.api, exchange, &object->call.who, &event, &object->audit,
                  &object->audit_body);
    object->change.audit = &object->audit;
}

static void append_answer(struct hl_object *object)
{
    struct hl_directory_snapshot *snapshot =
        hl_directory_snapshot(object->call.api->config.directory);
    hl_object_append(object->call.api, object->kind, snapshot, &object->record, &object->body);
    if (object->shown_name != NULL && !hl_buffer_failed(&object->body)) {
        object->body.size--; /* the brace */
        hl_buffer_printf(&object->body, ",\"%s\":\"%s\"}", object->shown_name, object->shown);
    }
    hl_directory_snapshot_unref(snapshot);
}

static void answer_change(struct hl_call *call, struct hl_exchange *exchange)
{
    struct hl_object *object = HL_CONTAINER_OF(call, struct hl_object, call);
    if (call->result == HL_DIRECTORY_UNRECORDED)
        call->api->stats.audit_failures++;
    if (call->result != 0) {
        hl_once_problem(exchange, call->result, object->kind->noun);
        return;
    }
    if (object->change.replayed) {
        hl_once_replay(exchange, hl_buffer_bytes(&object->change.answer));
        return;
    }
    object->record.revision = object->change.revision;
    if (object->status == 200)
        append_answer(object); /* a new one's was made before, to be stored with it */
    if (object->status != 204)
        hl_reply_add_etag(exchange, object->record.revision);
    if (object->status == 201) {
        char location[128];
        snprintf(location, sizeof(location), "%s%s", object->kind->path, object->record.id);
        hl_reply_add_text(exchange, "location", location);
    }
    hl_reply_json(exchange, object->status, &object->body);
}

static void take_result(struct hl_directory_change *change, int r)
{
    struct hl_object *object = HL_CONTAINER_OF(change, struct hl_object, change);
    hl_call_resume(&object->call, r);
}

static bool fill_change(struct hl_object *object, struct hl_exchange *exchange)
{
    struct hl_directory_change *change = &object->change;
    hl_json_append_canonical(&object->document, object->record.document);
    change->document = hl_buffer_bytes(&object->document);
    change->kind = object->kind->kind;
    change->loop = object->call.api->config.loop;
    change->done = take_result;
    change->now_ms = object->record.updated_ms;
    memcpy(change->id, object->record.id, sizeof(change->id));
    memcpy(change->site, object->record.site, sizeof(change->site));
    fill_audit(object, exchange);
    if (!hl_buffer_failed(&object->document) && !hl_buffer_failed(&object->with_document) &&
        !hl_buffer_failed(&object->stored) && !hl_buffer_failed(&object->audit_body))
        return true;
    hl_exchange_problem(exchange, HL_PROBLEM_TOO_LARGE, "The %s would be too large.",
                        object->kind->noun);
    return false;
}

void hl_object_submit(struct hl_object *object, struct hl_exchange *exchange)
{
    object->record.updated_ms = hl_clock_wall_ms(object->call.api->config.clock);
    if (!fill_change(object, exchange))
        return;
    int r = hl_directory_submit(object->call.api->config.directory, &object->change);
    if (r != 0) {
        hl_once_problem(exchange, r, object->kind->noun);
        return;
    }
    hl_call_wait(&object->call, exchange, answer_change);
    object->call.takes_any = true;
}

static void refuse_fault(struct hl_exchange *exchange, const struct hl_field_fault *fault)
{
    hl_reply_invalid(exchange, fault->pointer, "%s", fault->why);
}

/* What others keep in the document is not the client's to know, but stays. */
static json_t *take_hidden(struct hl_object *object)
{
    json_t *document = object->record.document;
    json_t *hidden = NULL;
    if (object->kind->hidden != NULL)
        hidden = json_incref(json_object_get(document, object->kind->hidden));
    if (hidden != NULL)
        (void)json_object_del(document, object->kind->hidden);
    return hidden;
}

static bool check_object(struct hl_object *object, struct hl_exchange *exchange)
{
    struct hl_field_fault fault = {0};
    const struct hl_object_kind *kind = object->kind;
    json_t *hidden = take_hidden(object);
    int r = hl_fields_check(kind->fields, kind->n_fields, object->record.document, &fault);
    if (hidden != NULL)
        (void)json_object_set_new(object->record.document, kind->hidden, hidden);
    if (r == 0 && kind->check != NULL) {
        struct hl_directory_snapshot *snapshot =
            hl_directory_snapshot(object->call.api->config.directory);
        r = kind->check(object, snapshot, &fault);
        hl_directory_snapshot_unref(snapshot);
    }
    if (r != 0)
        refuse_fault(exchange, &fault);
    else if (kind->complete != NULL)
        kind->complete(object);
    return r == 0;
}

/* Takes the member "site" out of the body: it is the record's. A principal of one site makes
 * things of that site. False: answered. */
static bool take_site(struct hl_object *object, struct hl_exchange *exchange, json_t *body)
{
    const struct hl_principal *who = &object->call.who;
    const json_t *value = json_object_get(body, "site");
    const char *site = json_string_value(value);
    bool is_known = value == NULL || json_is_null(value) || json_string_length(value) > 0;
    if (site == NULL)
        site = who->site;
    if (is_known && site[0] != '\0') {
        struct hl_directory_snapshot *snapshot =
            hl_directory_snapshot(object->call.api->config.directory);
        is_known = hl_principal_sees_site(who, site) && hl_snapshot_site(snapshot, site) != NULL;
        hl_directory_snapshot_unref(snapshot);
    } else if (object->kind->kind != HL_RECORD_AGENT) { /* agents may be of all sites */
        site = object->call.api->config.site;
    }
    if (!is_known) {
        hl_reply_invalid(exchange, "/site", "There is no such site.");
        return false;
    }
    memcpy(object->record.site, site, strlen(site) + 1);
    (void)json_object_del(body, "site");
    return true;
}

/* Sites are named by who makes them. */
static bool take_id(struct hl_object *object, struct hl_exchange *exchange, json_t *body)
{
    static const struct hl_field id = {
        .name = "id", .type = HL_FIELD_WORD, .max = HL_SITE_SIZE_MAX, .is_required = true};
    struct hl_field_fault fault = {0};
    json_t *only = json_pack("{s:O?}", "id", json_object_get(body, "id"));
    int r = only == NULL ? HL_FIELD_WRONG : hl_fields_check(&id, 1, only, &fault);
    if (r == 0) {
        const char *text = json_string_value(json_object_get(body, "id"));
        memcpy(object->record.id, text, strlen(text) + 1);
        memcpy(object->record.site, text, strlen(text) + 1);
        (void)json_object_del(body, "id");
    } else {
        refuse_fault(exchange, &fault);
    }
    json_decref(only);
    return r == 0;
}

static bool refuse_hidden(const struct hl_object *object, struct hl_exchange *exchange,
                          const json_t *body)
{
    char pointer[64];
    const char *hidden = object->kind->hidden;
    if (hidden == NULL || json_object_get(body, hidden) == NULL)
        return false;
    snprintf(pointer, sizeof(pointer), "/%s", hidden);
    hl_reply_invalid(exchange, pointer, "There is no such member.");
    return true;
}

static bool take_body(struct hl_object *object, struct hl_exchange *exchange)
{
    json_t *body = NULL;
    enum hl_record_kind kind = object->kind->kind;
    bool is_good = true;
    if (!hl_reply_read_object(exchange, &body))
        return false;
    if (refuse_hidden(object, exchange, body))
        is_good = false;
    else if (kind == HL_RECORD_SITE)
        is_good = take_id(object, exchange, body);
    else if (kind != HL_RECORD_KEY)
        is_good = take_site(object, exchange, body);
    object->record.document = is_good ? json_object() : NULL;
    if (is_good &&
        (object->record.document == NULL || hl_fields_merge(object->record.document, body) != 0)) {
        hl_once_problem(exchange, HL_DIRECTORY_LIMIT, object->kind->noun);
        is_good = false;
    }
    json_decref(body);
    return is_good;
}

static void store_answer(struct hl_object *object)
{
    char location[128];
    snprintf(location, sizeof(location), "%s%s", object->kind->path, object->record.id);
    append_answer(object);
    hl_once_encode(&object->stored, 201, location, "\"r1\"", hl_buffer_bytes(&object->body));
    object->once.answer = hl_buffer_bytes(&object->stored);
}

void hl_object_create(struct hl_call *call, struct hl_exchange *exchange,
                      const struct hl_object_kind *kind)
{
    struct hl_object *object = begin_object(call, kind);
    bool is_once = false;
    struct hl_id id = hl_object_make_id(call->api);
    if (kind->prefix != NULL)
        hl_id_format(&id, kind->prefix, object->record.id);
    if (!hl_api_may(&call->who, exchange, kind->write) ||
        !hl_once_read(exchange, &call->who, false, &object->once, &is_once) ||
        !take_body(object, exchange) || !check_object(object, exchange))
        return;
    object->record.revision = 1;
    object->record.created_ms = hl_clock_wall_ms(call->api->config.clock);
    object->record.updated_ms = object->record.created_ms;
    object->change.operation = HL_DIRECTORY_CREATE;
    object->change.n_max = kind->n_max;
    object->change.once = is_once ? &object->once : NULL;
    object->action = kind->created;
    object->status = 201;
    store_answer(object);
    hl_object_submit(object, exchange);
}

bool hl_object_take(struct hl_object *object, struct hl_exchange *exchange,
                    const struct hl_object_kind *kind, const struct hl_record *record)
{
    begin_object(&object->call, kind);
    object->record = *record;
    object->record.document = json_deep_copy(record->document);
    if (object->record.document != NULL)
        return true;
    hl_once_problem(exchange, -ENOMEM, kind->noun);
    return false;
}

static bool may_go(struct hl_call *call, struct hl_exchange *exchange,
                   const struct hl_object_kind *kind, const struct hl_directory_snapshot *snapshot,
                   const struct hl_record *record)
{
    const char *why = kind->keeps(call->api, snapshot, record);
    if (why != NULL)
        hl_exchange_problem(exchange, HL_PROBLEM_IN_USE, "%s", why);
    return why == NULL;
}

bool hl_object_open(struct hl_call *call, struct hl_exchange *exchange,
                    const struct hl_object_kind *kind)
{
    struct hl_precondition when;
    struct hl_object *object = HL_CONTAINER_OF(call, struct hl_object, call);
    struct hl_directory_snapshot *snapshot = hl_directory_snapshot(call->api->config.directory);
    const struct hl_record *record = hl_object_find(call, exchange, kind, snapshot);
    bool is_good = record != NULL && hl_api_may(&call->who, exchange, kind->write) &&
                   hl_precondition_read(exchange, true, &when);
    if (is_good && (when.if_absent || (when.has_revision && when.revision != record->revision))) {
        hl_reply_add_etag(exchange, record->revision);
        hl_once_problem(exchange, HL_DIRECTORY_REVISION, kind->noun);
        is_good = false;
    }
    if (is_good && exchange->method == HL_DELETE && kind->keeps != NULL)
        is_good = may_go(call, exchange, kind, snapshot, record);
    is_good = is_good && hl_object_take(object, exchange, kind, record);
    hl_directory_snapshot_unref(snapshot);
    object->change.has_if_revision = true;
    object->change.if_revision = object->record.revision;
    return is_good;
}

static bool refuse_fixed(struct hl_object *object, struct hl_exchange *exchange,
                         const json_t *patch)
{
    char pointer[64];
    const struct hl_object_kind *kind = object->kind;
    const char *fixed = json_object_get(patch, "site") != NULL ? "site" : NULL;
    for (size_t i = 0; i < kind->n_fields && fixed == NULL; i++) {
        if (kind->fields[i].is_fixed && json_object_get(patch, kind->fields[i].name) != NULL)
            fixed = kind->fields[i].name;
    }
    if (fixed == NULL)
        return false;
    snprintf(pointer, sizeof(pointer), "/%s", fixed);
    hl_reply_invalid(exchange, pointer, "It cannot be changed.");
    return true;
}

void hl_object_patch(struct hl_call *call, struct hl_exchange *exchange,
                     const struct hl_object_kind *kind)
{
    json_t *patch = NULL;
    struct hl_object *object = HL_CONTAINER_OF(call, struct hl_object, call);
    if (!hl_object_open(call, exchange, kind) || !hl_reply_read_object(exchange, &patch))
        return;
    if (!refuse_hidden(object, exchange, patch) && !refuse_fixed(object, exchange, patch)) {
        object->change.operation = HL_DIRECTORY_REPLACE;
        object->action = kind->updated;
        object->status = 200;
        if (hl_fields_merge(object->record.document, patch) != 0)
            hl_once_problem(exchange, -ENOMEM, kind->noun);
        else if (check_object(object, exchange))
            hl_object_submit(object, exchange);
    }
    json_decref(patch);
}

void hl_object_delete(struct hl_call *call, struct hl_exchange *exchange,
                      const struct hl_object_kind *kind)
{
    struct hl_object *object = HL_CONTAINER_OF(call, struct hl_object, call);
    if (!hl_object_open(call, exchange, kind))
        return;
    object->change.operation = HL_DIRECTORY_DELETE;
    object->action = kind->deleted;
    object->status = 204;
    hl_object_submit(object, exchange);
}
