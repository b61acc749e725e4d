#include "agent-api/person/request.h"

#include <stdio.h>
#include <string.h>

#include "base/result.h"
#include "store/seal.h"

const struct hl_person_kind hl_person_export = {
    .noun = "export",
    .path = "/v1/exports/",
    .prefix = HL_ID_EXPORT,
    .action = "export.created",
    .read_action = "export.read",
    .write = HL_PERMISSION_EXPORT,
    .read = HL_PERMISSION_EXPORT_READ,
    .is_done = true,
};
const struct hl_person_kind hl_person_erasure = {
    .noun = "erasure",
    .path = "/v1/erasures/",
    .prefix = HL_ID_ERASURE,
    .action = "erasure.created",
    .read_action = "erasure.read",
    .write = HL_PERMISSION_ERASE,
    .read = HL_PERMISSION_ERASE,
    .has_reason = true,
};

static struct hl_person_request *request_of(struct hl_call *call)
{
    return HL_CONTAINER_OF(call, struct hl_person_request, call);
}

static void clean_request(struct hl_call *call)
{
    struct hl_person_request *request = request_of(call);

    json_decref(request->reason);
    hl_buffer_fini(&request->document);
    hl_buffer_fini(&request->body);
    hl_buffer_fini(&request->stored);
    hl_buffer_fini(&request->audit_body);
    hl_buffer_fini(&request->change.answer);
    hl_directory_query_fini(&request->query);
}

static void begin_request(struct hl_call *call, const struct hl_person_kind *kind)
{
    struct hl_person_request *request = request_of(call);

    call->clean = clean_request;
    request->kind = kind;
    hl_buffer_init(&request->document, HL_JOB_DOCUMENT_MAX);
    hl_buffer_init(&request->body, HL_REPLY_BYTES_MAX);
    hl_buffer_init(&request->stored, HL_REPLY_BYTES_MAX);
}

/* ---- whose ---- */

/* An unkeyed hash on purpose: who knows the address can see that a certificate is about it. */
static void hash_subject(struct hl_person_request *request, const char *name, const char *value)
{
    char text[HL_INDEX_QUERY_SIZE_MAX + 32];
    uint8_t digest[HL_SEAL_DIGEST_SIZE];
    int n = snprintf(text, sizeof(text), "%s:%s", name, value);

    hl_seal_digest((struct hl_bytes){text, (size_t)n}, digest);
    for (size_t i = 0; i < sizeof(digest); i++)
        (void)snprintf(request->subject_hash + 2 * i, 3, "%02x", digest[i]);
    bool is_email = strcmp(name, "email") == 0;
    (void)snprintf(request->subject_name, sizeof(request->subject_name), "%s",
                   is_email ? "email_hash" : name);
    (void)snprintf(request->subject, sizeof(request->subject), "%s",
                   is_email ? request->subject_hash : value);
}

static bool read_id(struct hl_exchange *exchange, const char *pointer, const char *text,
                    const char *prefix, struct hl_id *out_id)
{
    if (text != NULL && hl_id_parse(hl_bytes_of(text), prefix, out_id) == 0 &&
        !hl_id_is_zero(out_id))
        return true;
    hl_reply_invalid(exchange, pointer, "This is no id of that kind.");
    return false;
}

static bool read_email(struct hl_person_request *request, struct hl_exchange *exchange,
                       const char *text)
{
    size_t size = text != NULL ? strlen(text) : 0;

    if (size < 3 || size >= sizeof(request->email) || strchr(text, '@') == NULL) {
        hl_reply_invalid(exchange, "/email", "This is no e-mail address.");
        return false;
    }
    for (size_t i = 0; i <= size; i++)
        request->email[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i]);
    hash_subject(request, "email", request->email);
    return true;
}

static bool read_subject(struct hl_person_request *request, struct hl_exchange *exchange,
                         const json_t *body)
{
    const json_t *contact = json_object_get(body, "contact");
    const json_t *email = json_object_get(body, "email");
    const json_t *conversation = json_object_get(body, "conversation");
    const char *text = json_string_value(contact != NULL ? contact : conversation);

    if ((contact != NULL) + (email != NULL) + (conversation != NULL) != 1) {
        hl_reply_invalid(exchange, "", "Name one of contact, email and conversation.");
        return false;
    }
    if (email != NULL)
        return read_email(request, exchange, json_string_value(email));
    bool is_good =
        contact != NULL
            ? read_id(exchange, "/contact", text, HL_ID_CONTACT, &request->contact)
            : read_id(exchange, "/conversation", text, HL_ID_CONVERSATION, &request->conversation);
    if (is_good)
        hash_subject(request, contact != NULL ? "contact" : "conversation", text);
    return is_good;
}

static bool read_reason(struct hl_person_request *request, struct hl_exchange *exchange,
                        const json_t *body)
{
    json_t *reason = json_object_get(body, "reason");
    size_t size = json_string_length(reason);

    if (!request->kind->has_reason)
        return true;
    if (!json_is_string(reason) || size == 0 || size > HL_REASON_SIZE_MAX) {
        hl_reply_invalid(exchange, "/reason", "Say why, in 1 to %d bytes. It is kept.",
                         HL_REASON_SIZE_MAX);
        return false;
    }
    request->reason = json_incref(reason);
    return true;
}

/* ---- the record ---- */

static void append_named(struct hl_buffer *out, const char *name, const char *value)
{
    hl_buffer_printf(out, "\"%s\":", name);
    hl_json_append_string(out, hl_bytes_of(value));
}

static void append_conversations(struct hl_buffer *out, const struct hl_id *ids, size_t n_ids)
{
    hl_buffer_append_text(out, "\"conversations\":[");
    for (size_t i = 0; i < n_ids; i++) {
        char text[HL_ID_TEXT_SIZE];
        hl_id_format(&ids[i], HL_ID_CONVERSATION, text);
        hl_buffer_printf(out, "%s\"%s\"", i > 0 ? "," : "", text);
    }
    hl_buffer_append_text(out, "]");
}

static void write_document(struct hl_person_request *request, const struct hl_id *ids, size_t n_ids)
{
    struct hl_buffer *out = &request->document;
    char agent[HL_ID_TEXT_SIZE];

    hl_id_format(&request->call.who.id, HL_ID_AGENT, agent);
    hl_buffer_append_text(out, "{\"by\":{");
    append_named(out, "id", agent);
    hl_buffer_append_text(out, ",");
    append_named(out, "name", request->call.who.name);
    hl_buffer_append_text(out, "},");
    append_conversations(out, ids, n_ids);
    if (request->kind->is_done)
        hl_buffer_printf(out, ",\"done_ms\":%lld", (long long)request->record.created_ms);
    if (request->reason != NULL) {
        hl_buffer_append_text(out, ",\"reason\":");
        hl_json_append_canonical(out, request->reason);
    }
    hl_buffer_append_text(out, ",\"results\":[],\"status\":");
    hl_buffer_append_text(out, request->kind->is_done ? "\"done\"" : "\"queued\"");
    hl_buffer_append_text(out, ",\"subject\":{");
    append_named(out, request->subject_name, request->subject);
    hl_buffer_append_text(out, "},");
    append_named(out, "subject_hash", request->subject_hash);
    hl_buffer_append_text(out, "}");
}

static void answer_created(struct hl_call *call, struct hl_exchange *exchange)
{
    struct hl_person_request *request = request_of(call);
    char location[64];

    if (call->result != 0) {
        hl_once_problem(exchange, call->result, request->kind->noun);
        return;
    }
    if (request->change.replayed) {
        hl_once_replay(exchange, hl_buffer_bytes(&request->change.answer));
        return;
    }
    (void)snprintf(location, sizeof(location), "%s%s", request->kind->path, request->id);
    hl_reply_add_text(exchange, "location", location);
    hl_reply_json(exchange, 202, &request->body);
}

static void take_result(struct hl_directory_change *change, int r)
{
    hl_call_resume(&HL_CONTAINER_OF(change, struct hl_person_request, change)->call, r);
}

/* The answer is made first: it is stored with the record, for a request that comes again. */
static bool fill_change(struct hl_person_request *request, struct hl_exchange *exchange)
{
    json_t *document = NULL;
    char location[64];

    if (hl_buffer_failed(&request->document) ||
        hl_json_parse(hl_buffer_bytes(&request->document), NULL, 0, &document) != 0) {
        hl_reply_log_problem(exchange, HL_LOG_BUSY);
        return false;
    }
    request->record.document = document;
    hl_job_append(&request->body, &request->record);
    request->record.document = NULL;
    json_decref(document);
    (void)snprintf(location, sizeof(location), "%s%s", request->kind->path, request->id);
    hl_once_encode(&request->stored, 202, location, NULL, hl_buffer_bytes(&request->body));
    request->once.answer = hl_buffer_bytes(&request->stored);
    request->change = (struct hl_directory_change){.loop = request->call.api->config.loop,
                                                   .done = take_result,
                                                   .operation = HL_DIRECTORY_CREATE,
                                                   .kind = HL_RECORD_JOB,
                                                   .document = hl_buffer_bytes(&request->document),
                                                   .is_retired = request->kind->is_done,
                                                   .now_ms = request->record.created_ms,
                                                   .audit = &request->audit,
                                                   .once = &request->once};
    memcpy(request->change.id, request->record.id, sizeof(request->change.id));
    memcpy(request->change.site, request->record.site, sizeof(request->change.site));
    return true;
}

static void fill_audit(struct hl_person_request *request, const struct hl_exchange *exchange)
{
    const struct hl_audit_event event = {.action = request->kind->action,
                                         .site = request->record.site,
                                         .object = request->id,
                                         .conversation = request->conversation};
    hl_audit_fill(request->call.api, exchange, &request->call.who, &event, &request->audit,
                  &request->audit_body);
}

static void record_request(struct hl_person_request *request, struct hl_exchange *exchange,
                           const struct hl_id *ids, size_t n_ids)
{
    struct hl_api *api = request->call.api;
    uint8_t random[10];

    if (n_ids > HL_JOB_CONVERSATIONS_MAX) {
        hl_exchange_problem(exchange, HL_PROBLEM_TOO_LARGE,
                            "This person has %zu conversations; name them one by one.", n_ids);
        return;
    }
    hl_random_fill(api->config.random, random, sizeof(random));
    request->record.created_ms = hl_clock_wall_ms(api->config.clock);
    struct hl_id id = hl_id_v7(request->record.created_ms, random);
    hl_id_format(&id, request->kind->prefix, request->id);
    memcpy(request->record.id, request->id, sizeof(request->id));
    memcpy(request->record.site, request->call.who.site, sizeof(request->record.site));
    write_document(request, ids, n_ids);
    fill_audit(request, exchange);
    if (!fill_change(request, exchange))
        return;
    int r = hl_directory_submit(api->config.directory, &request->change);
    if (r != 0) {
        hl_once_problem(exchange, r, request->kind->noun);
        return;
    }
    hl_call_wait(&request->call, exchange, answer_created);
    request->call.takes_any = true;
}

/* ---- from the request to the conversations ---- */

static void take_person(struct hl_call *call, struct hl_exchange *exchange)
{
    record_request(request_of(call), exchange, call->index.person.conversations,
                   call->index.person.n_conversations);
}

static void take_conversation(struct hl_call *call, struct hl_exchange *exchange)
{
    const struct hl_conversation *found = &call->find.found;
    struct hl_id id = found->id;

    if (!hl_principal_sees(&call->who, found->site, &found->inbox))
        hl_reply_log_problem(exchange, HL_LOG_UNKNOWN);
    else
        record_request(request_of(call), exchange, &id, 1);
}

static void find_conversations(struct hl_person_request *request, struct hl_exchange *exchange)
{
    struct hl_call *call = &request->call;

    if (!hl_id_is_zero(&request->conversation)) {
        call->find = (struct hl_log_find){.conversation = request->conversation};
        hl_call_find(call, exchange, take_conversation);
        return;
    }
    call->index.person = (struct hl_index_person){.contact = request->contact};
    memcpy(call->index.person.email, request->email, sizeof(request->email));
    hl_ask_person(call, exchange, take_person);
}

void hl_person_create(struct hl_call *call, struct hl_exchange *exchange,
                      const struct hl_person_kind *kind)
{
    struct hl_person_request *request = request_of(call);
    json_t *body = NULL;
    bool is_once = false;

    begin_request(call, kind);
    if (!hl_api_may(&call->who, exchange, kind->write) ||
        !hl_once_read(exchange, &call->who, true, &request->once, &is_once) ||
        !hl_reply_read_object(exchange, &body))
        return;
    bool is_good = read_subject(request, exchange, body) && read_reason(request, exchange, body);
    json_decref(body);
    if (is_good)
        find_conversations(request, exchange);
}

/* ---- what became of it ---- */

static void take_job(struct hl_directory_query *query, int r)
{
    hl_call_resume(&HL_CONTAINER_OF(query, struct hl_person_request, query)->call, r);
}

static void judge_job(struct hl_call *call, struct hl_exchange *exchange)
{
    struct hl_person_request *request = request_of(call);
    const struct hl_record *record = request->query.items;
    bool is_there = call->result == 0 && request->query.n_items == 1 &&
                    strncmp(record->id, request->kind->prefix, strlen(request->kind->prefix)) == 0;

    if (call->result != 0 && call->result != HL_DIRECTORY_UNKNOWN)
        hl_once_problem(exchange, call->result, request->kind->noun);
    else if (!is_there || (call->who.site[0] != '\0' && strcmp(call->who.site, record->site) != 0))
        hl_once_problem(exchange, HL_DIRECTORY_UNKNOWN, request->kind->noun);
    else
        request->then(request, exchange);
}

void hl_person_open(struct hl_call *call, struct hl_exchange *exchange,
                    const struct hl_person_kind *kind,
                    void (*then)(struct hl_person_request *request, struct hl_exchange *exchange))
{
    struct hl_person_request *request = request_of(call);
    struct hl_bytes id = call->params.values[0];

    begin_request(call, kind);
    request->then = then;
    if (!hl_api_may(&call->who, exchange, kind->read))
        return;
    request->query = (struct hl_directory_query){
        .loop = call->api->config.loop, .done = take_job, .kind = HL_RECORD_JOB, .limit = 1};
    int r = HL_DIRECTORY_UNKNOWN;
    if (id.size > 0 && id.size < sizeof(request->query.id)) {
        memcpy(request->query.id, id.data, id.size);
        r = hl_directory_ask(call->api->config.directory, &request->query);
    }
    if (r != 0) {
        hl_once_problem(exchange, r, kind->noun);
        return;
    }
    hl_call_wait(call, exchange, judge_job);
    call->takes_any = true;
}

void hl_person_answer(struct hl_person_request *request, struct hl_exchange *exchange)
{
    const struct hl_audit_event event = {.action = request->kind->read_action,
                                         .site = request->query.items->site,
                                         .object = request->query.items->id};

    hl_job_append(&request->body, request->query.items);
    hl_audit_reply(request->call.api, exchange, &request->call.who, &event, 200, &request->body);
}
