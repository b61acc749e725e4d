#include "agent-api/present.h"

#include <inttypes.h>

#include "base/json.h"
#include "base/moment.h"

static const char *prefix_of(uint8_t role)
{
    switch ((enum hl_role)role) {
    case HL_ROLE_VISITOR:
        return HL_ID_VISITOR;
    case HL_ROLE_AGENT:
        return HL_ID_AGENT;
    case HL_ROLE_INTEGRATION:
        return "int_";
    case HL_ROLE_SYSTEM:
        break;
    }
    return "sys_";
}

static void append_id(struct hl_buffer *out, const char *prefix, const struct hl_id *id)
{
    char text[HL_ID_TEXT_SIZE];
    hl_id_format(id, prefix, text);
    hl_buffer_append_text(out, "\"");
    hl_buffer_append_text(out, text);
    hl_buffer_append_text(out, "\"");
}

void hl_present_author_id(struct hl_buffer *out, const struct hl_author *author)
{
    append_id(out, prefix_of(author->role), &author->id);
}

void hl_present_moment(struct hl_buffer *out, const char *name, int64_t wall_ms)
{
    hl_buffer_printf(out, "\"%s\":", name);
    if (wall_ms == 0) {
        hl_buffer_append_text(out, "null");
        return;
    }
    hl_buffer_append_text(out, "\"");
    hl_moment_append(out, wall_ms);
    hl_buffer_append_text(out, "\"");
}

void hl_present_conversation(struct hl_buffer *out, const struct hl_conversation *conversation)
{
    hl_buffer_append_text(out, "{\"id\":");
    append_id(out, HL_ID_CONVERSATION, &conversation->id);
    hl_buffer_append_text(out, ",\"site\":");
    hl_json_append_string(out, hl_bytes_of(conversation->site));
    hl_buffer_append_text(out, ",\"reference\":");
    hl_json_append_string(out, hl_bytes_of(conversation->reference));
    hl_buffer_printf(out, ",\"status\":\"%s\",\"assignee\":",
                     hl_status_name((enum hl_status)conversation->status));
    if (hl_id_is_zero(&conversation->assignee))
        hl_buffer_append_text(out, "null");
    else
        append_id(out, HL_ID_AGENT, &conversation->assignee);
    hl_buffer_printf(
        out, ",\"etag\":\"\\\"r%" PRIu64 "\\\"\",\"head\":%" PRIu64 ",\"floor\":%" PRIu64 ",",
        conversation->revision, conversation->head, conversation->floor);
    hl_present_moment(out, "opened_at", conversation->opened_ms);
    hl_buffer_append_text(out, ",");
    hl_present_moment(out, "updated_at", conversation->updated_ms);
    hl_buffer_append_text(out, ",");
    hl_present_moment(out, "claimed_at", conversation->claimed_ms);
    hl_buffer_append_text(out, ",");
    hl_present_moment(out, "waiting_since", conversation->waiting_since_ms);
    hl_buffer_append_text(out, "}");
}

void hl_present_entry(struct hl_buffer *out, const struct hl_entry *entry)
{
    hl_buffer_append_text(out, "{");
    hl_present_entry_members(out, entry);
    hl_buffer_append_text(out, "}");
}

void hl_present_entry_members(struct hl_buffer *out, const struct hl_entry *entry)
{
    hl_buffer_append_text(out, "\"conversation\":");
    append_id(out, HL_ID_CONVERSATION, &entry->conversation);
    hl_buffer_printf(out, ",\"offset\":%" PRIu64 ",\"client_id\":", entry->offset);
    hl_json_append_string(out, hl_entry_mid(entry));
    hl_buffer_printf(
        out, ",\"from\":{\"role\":\"%s\",\"id\":", hl_role_name((enum hl_role)entry->author.role));
    hl_present_author_id(out, &entry->author);
    hl_buffer_append_text(out, "},");
    hl_present_moment(out, "ts", entry->wall_ms);
    hl_buffer_printf(out, ",\"kind\":\"%s\",\"visibility\":\"%s\"",
                     hl_entry_kind_name((enum hl_entry_kind)entry->kind),
                     hl_entry_is_internal(entry) ? "internal" : "public");
    if (!hl_id_is_zero(&entry->subject)) {
        hl_buffer_append_text(out, ",\"subject\":");
        append_id(out, entry->kind == HL_ENTRY_MOVED ? HL_ID_INBOX : HL_ID_AGENT, &entry->subject);
    }
    if (entry->is_erased)
        hl_buffer_append_text(out, ",\"erased\":true");
    hl_buffer_append_text(out, ",\"body\":");
    hl_buffer_append_bytes(out, hl_entry_body(entry));
}
