#include "agent-api/person/export_content.h"

#include <stdio.h>

#include "agent-api/conversation/view.h"
#include "agent-api/present.h"

enum { PAGE_ENTRIES = 256, PAGE_BYTES = 64 * 1024, TEXT_BYTES_MAX = 2 * 1024 * 1024 };

static struct hl_export *export_of(struct hl_call *call)
{
    return HL_CONTAINER_OF(call, struct hl_export, request.call);
}

static void read_page(struct hl_call *call, struct hl_exchange *exchange);

/* ---- page by page ---- */

static void begin_conversation(struct hl_export *export, struct hl_buffer *out,
                               const struct hl_conversation *conversation)
{
    hl_buffer_append_text(out, export->has_conversations ? ",\n" : "\n");
    if (export->view.size > 0 && !hl_buffer_failed(&export->view))
        hl_buffer_append_bytes(out, hl_buffer_bytes(&export->view));
    else
        hl_present_conversation(out, conversation);
    if (out->size > 0 && !hl_buffer_failed(out))
        out->size--; /* the brace: there is more to come */
    if (conversation->identity[0] != '\0') {
        hl_buffer_append_text(out, ",\"visitor_identity\":");
        hl_json_append_string(out, hl_bytes_of(conversation->identity));
    }
    hl_buffer_append_text(out, ",\"entries\":[");
    export->has_conversations = true;
    export->until = conversation->head;
    export->after = conversation->floor;
}

static void append_entries(struct hl_export *export, struct hl_buffer *out,
                           const struct hl_batch *batch, bool is_first)
{
    for (size_t i = 0; i < batch->n_entries; i++) {
        const struct hl_entry *entry = batch->entries[i];
        if (entry->offset > export->until)
            return; /* written since */
        hl_buffer_append_text(out, is_first && i == 0 ? "\n" : ",\n");
        hl_present_entry(out, entry);
        export->after = entry->offset;
    }
}

/* False: it is none of those that the one who asks may see (any more). */
static bool append_page(struct hl_export *export, struct hl_buffer *out)
{
    struct hl_call *call = &export->request.call;
    const struct hl_conversation *found = &call->read.found;
    bool is_first = export->until == 0;
    uint64_t before = export->after;

    if (call->result != 0 || !hl_principal_sees(&call->who, found->site, &found->inbox))
        return false;
    if (is_first)
        begin_conversation(export, out, found);
    append_entries(export, out, call->read.batch, is_first);
    bool is_over = export->after >= export->until || (!is_first && export->after == before);
    if (!is_over)
        return true;
    hl_buffer_append_text(out, "]}");
    export->at++;
    export->until = 0;
    export->after = 0;
    return true;
}

static void write_on(struct hl_call *call, struct hl_exchange *exchange, struct hl_buffer *out)
{
    const struct hl_export *export = export_of(call);
    bool is_whole = export->at == hl_job_n_conversations(&export->job);

    if (is_whole)
        hl_buffer_append_text(out, "\n]}\n");
    if (hl_buffer_failed(out)) {
        exchange->ops->cut(exchange);
        return;
    }
    exchange->ops->write(exchange, hl_buffer_bytes(out));
    if (is_whole)
        exchange->ops->end(exchange);
    else
        hl_call_when_ready(call, exchange, read_page);
}

static void write_page(struct hl_call *call, struct hl_exchange *exchange)
{
    struct hl_export *export = export_of(call);
    struct hl_buffer out;

    if (call->result != 0 && call->result != HL_LOG_UNKNOWN) {
        exchange->ops->cut(exchange); /* not whole, and the client can tell */
        return;
    }
    hl_buffer_init(&out, TEXT_BYTES_MAX);
    if (!append_page(export, &out))
        export->at++;
    write_on(call, exchange, &out);
    hl_buffer_fini(&out);
}

/* Tags, fields and who the person is; what the index does not have the entries still say. */
static void take_view(struct hl_index_get *get, int r)
{
    struct hl_export *export = HL_CONTAINER_OF(get, struct hl_export, get);
    struct hl_api *api = export->request.call.api;
    struct hl_directory_snapshot *snapshot = hl_directory_snapshot(api->config.directory);

    if (r == 0)
        hl_view_append(&export->view, &get->found, snapshot, hl_clock_wall_ms(api->config.clock));
    hl_directory_snapshot_unref(snapshot);
    hl_index_read_free(&get->read);
    hl_call_resume(&export->request.call, 0);
}

static void read_entries(struct hl_call *call, struct hl_exchange *exchange);

/* False: go on without. */
static bool ask_view(struct hl_export *export, struct hl_exchange *exchange, const struct hl_id *id)
{
    struct hl_call *call = &export->request.call;
    struct hl_index *index = call->api->config.index;

    hl_buffer_clear(&export->view);
    export->get =
        (struct hl_index_get){.read = {.loop = call->api->config.loop, .at_least = HL_INDEX_LATEST},
                              .done = take_view,
                              .conversation = *id};
    if (index == NULL || hl_index_get(index, &export->get) != 0)
        return false;
    hl_call_wait(call, exchange, read_entries);
    return true;
}

static void read_page(struct hl_call *call, struct hl_exchange *exchange)
{
    struct hl_export *export = export_of(call);
    struct hl_id id;

    if (!hl_job_conversation(&export->job, export->at, &id))
        exchange->ops->cut(exchange);
    else if (export->until > 0 || !ask_view(export, exchange, &id))
        read_entries(call, exchange);
}

static void read_entries(struct hl_call *call, struct hl_exchange *exchange)
{
    struct hl_export *export = export_of(call);
    struct hl_id id;

    if (!hl_job_conversation(&export->job, export->at, &id)) {
        exchange->ops->cut(exchange);
        return;
    }
    call->read = (struct hl_log_read){
        .conversation = id, .after = export->after, .limit = PAGE_ENTRIES, .bytes_max = PAGE_BYTES};
    hl_call_read_any(call, exchange, write_page);
}

/* ---- the beginning ---- */

static void begin_stream(struct hl_call *call, struct hl_exchange *exchange)
{
    struct hl_export *export = export_of(call);
    const json_t *subject = json_object_get(export->job.document, "subject");
    struct hl_buffer out;
    char name[96];

    snprintf(name, sizeof(name), "attachment; filename=\"%s.json\"", export->job.id);
    hl_reply_add_text(exchange, "content-disposition", name);
    exchange->ops->stream(exchange, 200, "application/json");
    hl_buffer_init(&out, TEXT_BYTES_MAX);
    hl_buffer_printf(&out, "{\"export\":\"%s\",", export->job.id);
    hl_present_moment(&out, "written_at", hl_clock_wall_ms(call->api->config.clock));
    hl_buffer_append_text(&out, ",\"subject\":");
    hl_json_append_canonical(&out, subject);
    hl_buffer_append_text(&out, ",\"conversations\":[");
    write_on(call, exchange, &out);
    hl_buffer_fini(&out);
}

/* That it is read is recorded: now it may be. */
static void take_recorded(void *arg, struct hl_exchange *exchange)
{
    struct hl_export *export = arg;
    struct hl_call *call = &export->request.call;

    if (export->is_asking) { /* within the step that asked */
        call->is_waiting = false;
        if (exchange != NULL)
            begin_stream(call, exchange);
        return;
    }
    if (exchange != NULL)
        hl_pending_resume(&call->pending, exchange);
    hl_call_resume(call, 0);
}

static void clean_export(struct hl_call *call)
{
    struct hl_export *export = export_of(call);

    hl_job_fini(&export->job);
    hl_buffer_fini(&export->view);
    export->request.clean(call);
}

void hl_export_content(struct hl_person_request *request, struct hl_exchange *exchange)
{
    struct hl_export *export = HL_CONTAINER_OF(request, struct hl_export, request);
    const struct hl_record *record = request->query.items;
    struct hl_call *call = &request->call;
    const struct hl_audit_event event = {
        .action = "export.content", .is_read = true, .site = record->site, .object = record->id};

    if (hl_job_copy(record, &export->job) != 0) {
        hl_reply_log_problem(exchange, HL_LOG_BUSY);
        return;
    }
    hl_buffer_init(&export->view, HL_REPLY_BYTES_MAX);
    request->clean = call->clean;
    call->clean = clean_export;
    hl_call_wait(call, exchange, begin_stream);
    export->is_asking = true;
    hl_audit_then(call->api, hl_pending_take(&call->pending), &call->who, &event, take_recorded,
                  export);
    export->is_asking = false;
}
