#include "agent-api/person/job.h"

#include <stdio.h>
#include <string.h>

#include "agent-api/present.h"
#include "base/result.h"

int hl_job_copy(const struct hl_record *record, struct hl_job *out_job)
{
    memcpy(out_job->id, record->id, sizeof(out_job->id));
    out_job->document = json_deep_copy(record->document);
    return out_job->document != NULL ? 0 : -ENOMEM;
}

void hl_job_fini(struct hl_job *job)
{
    json_decref(job->document);
    *job = (struct hl_job){.document = NULL};
}

bool hl_job_is_erasure(const struct hl_record *record)
{
    return strncmp(record->id, HL_ID_ERASURE, strlen(HL_ID_ERASURE)) == 0;
}

size_t hl_job_n_conversations(const struct hl_job *job)
{
    return json_array_size(json_object_get(job->document, "conversations"));
}

bool hl_job_conversation(const struct hl_job *job, size_t n, struct hl_id *out_id)
{
    const char *text =
        json_string_value(json_array_get(json_object_get(job->document, "conversations"), n));

    return text != NULL && hl_id_parse(hl_bytes_of(text), HL_ID_CONVERSATION, out_id) == 0;
}

size_t hl_job_n_done(const struct hl_job *job)
{
    return json_array_size(json_object_get(job->document, "results"));
}

bool hl_job_add_result(struct hl_job *job, const struct hl_job_result *result)
{
    char id[HL_ID_TEXT_SIZE];
    json_t *results = json_object_get(job->document, "results");

    hl_id_format(&result->conversation, HL_ID_CONVERSATION, id);
    json_t *item = json_pack(
        "{s:s, s:I, s:I, s:I}", "id", id, "entries", (json_int_t)result->entries, "erased_offset",
        (json_int_t)result->erased_offset, "position", (json_int_t)result->position);
    return json_array_append_new(results, item) == 0;
}

bool hl_job_set_status(struct hl_job *job, const char *status)
{
    return json_object_set_new(job->document, "status", json_string(status)) == 0;
}

bool hl_job_set_done(struct hl_job *job, int64_t wall_ms, uint64_t epoch)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)epoch);
    return hl_job_set_status(job, "done") &&
           json_object_set_new(job->document, "done_ms", json_integer(wall_ms)) == 0 &&
           json_object_set_new(job->document, "epoch", json_string(text)) == 0;
}

static void append_member(struct hl_buffer *out, const json_t *document, const char *name)
{
    const json_t *value = json_object_get(document, name);

    hl_buffer_printf(out, ",\"%s\":", name);
    if (value != NULL)
        hl_json_append_canonical(out, value);
    else
        hl_buffer_append_text(out, "null");
}

/* What proves to the person, and to who asks later, what was done. */
static void append_certificate(struct hl_buffer *out, const struct hl_record *record)
{
    const json_t *document = record->document;

    hl_buffer_append_text(out, ",\"certificate\":");
    if (json_object_get(document, "done_ms") == NULL) {
        hl_buffer_append_text(out, "null");
        return;
    }
    hl_buffer_append_text(out, "{\"erasure\":");
    hl_json_append_string(out, hl_bytes_of(record->id));
    append_member(out, document, "subject_hash");
    append_member(out, document, "epoch");
    hl_buffer_append_text(out, ",\"conversations\":");
    hl_json_append_canonical(out, json_object_get(document, "results"));
    hl_buffer_append_text(out, ",");
    hl_present_moment(out, "keys_destroyed_at",
                      json_integer_value(json_object_get(document, "done_ms")));
    hl_buffer_append_text(out, "}");
}

void hl_job_append(struct hl_buffer *out, const struct hl_record *record)
{
    const json_t *document = record->document;
    size_t n_conversations = json_array_size(json_object_get(document, "conversations"));
    size_t n_done = json_array_size(json_object_get(document, "results"));

    hl_buffer_append_text(out, "{\"id\":");
    hl_json_append_string(out, hl_bytes_of(record->id));
    append_member(out, document, "status");
    append_member(out, document, "subject");
    append_member(out, document, "by");
    hl_buffer_append_text(out, ",");
    hl_present_moment(out, "created_at", record->created_ms);
    hl_buffer_append_text(out, ",");
    hl_present_moment(out, "done_at", json_integer_value(json_object_get(document, "done_ms")));
    hl_buffer_printf(out, ",\"n_conversations\":%zu", n_conversations);
    if (hl_job_is_erasure(record)) {
        hl_buffer_printf(out, ",\"n_erased\":%zu", n_done);
        append_member(out, document, "reason");
        append_certificate(out, record);
    }
    hl_buffer_append_text(out, "}");
}
