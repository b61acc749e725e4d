/* GET /v1/conversations/{id}/transcript, and …/messages as lines: all of a conversation in one
 * file, streamed page by page. What it holds at a time is one page, and what of it the client has
 * not taken yet. */
#include <stdio.h>
#include <string.h>

#include "agent-api/call.h"
#include "agent-api/conversation/transcript_text.h"
#include "agent-api/media.h"

enum { PAGE_ENTRIES = 256, PAGE_BYTES = 64 * 1024, TEXT_BYTES_MAX = 1024 * 1024 };

struct transcript {
    struct hl_call call; /* first */
    const struct hl_transcript_form *form;
    bool has_internal;
    bool has_entries;
    uint64_t after, until; /* offsets */
};

static struct transcript *transcript_of(struct hl_call *call)
{
    return HL_CONTAINER_OF(call, struct transcript, call);
}

/* -- what is asked for -- */

static bool choose_named(struct hl_exchange *exchange, const char *name,
                         const struct hl_transcript_form **out_form)
{
    for (size_t i = 0; i < HL_TRANSCRIPT_FORMS; i++) {
        if (strcmp(hl_transcript_forms[i].name, name) != 0)
            continue;
        *out_form = &hl_transcript_forms[i];
        return true;
    }
    hl_reply_invalid(exchange, "/format", "format is json, ndjson, text or html.");
    return false;
}

/* ?format= goes before Accept. False: answered. */
static bool choose_form(struct hl_exchange *exchange, const struct hl_transcript_form **out_form)
{
    static const char *const types[HL_TRANSCRIPT_FORMS] = {
        "application/json", "application/x-ndjson", "text/plain", "text/html"};
    char name[8] = "";
    int r = hl_exchange_query(exchange, "format", name, sizeof(name));
    if (r != HL_QUERY_ABSENT)
        return choose_named(exchange, r == 0 ? name : "", out_form);
    int chosen = hl_media_choose(exchange->headers[HL_HEADER_ACCEPT], types, HL_TRANSCRIPT_FORMS);
    if (chosen >= 0) {
        *out_form = &hl_transcript_forms[chosen];
        return true;
    }
    hl_exchange_problem(exchange, HL_PROBLEM_NOT_ACCEPTABLE,
                        "There are application/json, application/x-ndjson, text/plain and "
                        "text/html.");
    return false;
}

/* Notes are left out unless asked for: a transcript is what customers are given. */
static bool read_internal(struct hl_exchange *exchange, bool *out_internal)
{
    char text[8] = "";
    int r = hl_exchange_query(exchange, "internal", text, sizeof(text));
    *out_internal = r == 0 && strcmp(text, "true") == 0;
    if (r == HL_QUERY_ABSENT || (r == 0 && (*out_internal || strcmp(text, "false") == 0)))
        return true;
    hl_reply_invalid(exchange, "/internal", "internal is true or false.");
    return false;
}

/* -- page by page -- */

static void read_page(struct hl_call *call, struct hl_exchange *exchange);

/* As visitors see it: not that of internal entries, of events only that they happened. */
static void append_entry(struct transcript *transcript, struct hl_buffer *out,
                         const struct hl_entry *entry, const struct hl_directory_snapshot *names)
{
    struct hl_entry_fields bare = {.conversation = entry->conversation,
                                   .author = entry->author,
                                   .kind = (enum hl_entry_kind)entry->kind,
                                   .mid = hl_entry_mid(entry),
                                   .body = hl_bytes_of("{}")};
    bool is_first = !transcript->has_entries;
    if (!transcript->has_internal && hl_entry_is_internal(entry))
        return;
    transcript->has_entries = true;
    if (transcript->has_internal || hl_entry_is_open_to_visitors(entry)) {
        transcript->form->entry(out, entry, names, is_first);
        return;
    }
    struct hl_entry *shown = hl_entry_create(&bare);
    if (shown == NULL) {
        out->failed = true;
        return;
    }
    shown->offset = entry->offset;
    shown->wall_ms = entry->wall_ms;
    transcript->form->entry(out, shown, names, is_first);
    hl_entry_unref(shown);
}

static void append_page(struct transcript *transcript, struct hl_buffer *out,
                        const struct hl_batch *batch)
{
    struct hl_directory_snapshot *names =
        hl_directory_snapshot(transcript->call.api->config.directory);
    for (size_t i = 0; i < batch->n_entries; i++) {
        if (batch->entries[i]->offset > transcript->until)
            break; /* written since */
        append_entry(transcript, out, batch->entries[i], names);
        transcript->after = batch->entries[i]->offset;
    }
    hl_directory_snapshot_unref(names);
}

static void write_page(struct hl_call *call, struct hl_exchange *exchange)
{
    struct transcript *transcript = transcript_of(call);
    uint64_t before = transcript->after;
    struct hl_buffer out;
    if (call->result != 0) {
        exchange->ops->cut(exchange); /* not whole, and the client can tell */
        return;
    }
    hl_buffer_init(&out, TEXT_BYTES_MAX);
    append_page(transcript, &out, call->read.batch);
    bool is_whole = transcript->after >= transcript->until || transcript->after == before;
    if (is_whole)
        transcript->form->foot(&out, &call->conversation);
    if (hl_buffer_failed(&out)) {
        exchange->ops->cut(exchange);
    } else {
        exchange->ops->write(exchange, hl_buffer_bytes(&out));
        if (is_whole)
            exchange->ops->end(exchange);
        else
            hl_call_when_ready(call, exchange, read_page);
    }
    hl_buffer_fini(&out);
}

static void read_page(struct hl_call *call, struct hl_exchange *exchange)
{
    struct transcript *transcript = transcript_of(call);
    call->read = (struct hl_log_read){.conversation = call->conversation.id,
                                      .after = transcript->after,
                                      .limit = PAGE_ENTRIES,
                                      .bytes_max = PAGE_BYTES};
    hl_call_read_any(call, exchange, write_page);
}

static void begin_stream(struct hl_call *call, struct hl_exchange *exchange)
{
    struct transcript *transcript = transcript_of(call);
    const struct hl_conversation *conversation = &call->conversation;
    struct hl_buffer out;
    char name[96];
    snprintf(name, sizeof(name), "attachment; filename=\"%s.%s\"",
             conversation->reference[0] != '\0' ? conversation->reference : "transcript",
             strcmp(transcript->form->name, "text") == 0 ? "txt" : transcript->form->name);
    hl_reply_add_text(exchange, "content-disposition", name);
    hl_reply_add_text(exchange, "content-security-policy",
                      "default-src 'none'; style-src 'unsafe-inline'");
    hl_reply_add_text(exchange, "vary", "accept");
    exchange->ops->stream(exchange, 200, transcript->form->type);
    hl_buffer_init(&out, TEXT_BYTES_MAX);
    transcript->form->head(&out, conversation);
    exchange->ops->write(exchange, hl_buffer_bytes(&out));
    hl_buffer_fini(&out);
    read_page(call, exchange);
}

static void open_transcript(struct hl_call *call, struct hl_exchange *exchange)
{
    struct transcript *transcript = transcript_of(call);
    if (!hl_api_may(&call->who, exchange, HL_PERMISSION_CONVERSATION_READ) ||
        !choose_form(exchange, &transcript->form) ||
        !read_internal(exchange, &transcript->has_internal))
        return;
    transcript->after = call->conversation.floor;
    transcript->until = call->conversation.head;
    hl_call_record_read(call, exchange, "conversation.transcript_read", begin_stream);
}

/* As all that is read by agents, this has notes too. */
static void open_lines(struct hl_call *call, struct hl_exchange *exchange)
{
    struct transcript *transcript = transcript_of(call);
    uint64_t after = 0;
    if (!choose_named(exchange, "ndjson", &transcript->form) ||
        !hl_reply_read_number(exchange, "after", 0, UINT64_C(1) << 53, 0, &after))
        return;
    transcript->has_internal = true;
    transcript->after = after > call->conversation.floor ? after : call->conversation.floor;
    transcript->until = call->conversation.head;
    hl_call_record_read(call, exchange, "conversation.messages_read", begin_stream);
}

void hl_messages_stream(void *arg, struct hl_exchange *exchange,
                        const struct hl_route_params *params)
{
    hl_call_open(arg, exchange, params, sizeof(struct transcript), open_lines);
}

void hl_transcript_get(void *arg, struct hl_exchange *exchange,
                       const struct hl_route_params *params)
{
    hl_call_open(arg, exchange, params, sizeof(struct transcript), open_transcript);
}
