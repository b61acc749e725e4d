/* Entries as events: what happened, where, and the cursor to go on from. Pure. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent-api/feed/feed.h"
#include "agent-api/present.h"
#include "base/json.h"

void hl_feed_format_cursor(uint64_t epoch, uint64_t position, char out_text[HL_CURSOR_TEXT_SIZE])
{
    snprintf(out_text, HL_CURSOR_TEXT_SIZE, "%" PRIu64 ".%" PRIu64, epoch, position);
}

/* "message.created", "conversation.claimed" … */
static void append_type(struct hl_buffer *out, const struct hl_entry *entry)
{
    enum hl_entry_kind kind = (enum hl_entry_kind)entry->kind;
    const char *name = hl_entry_kind_name(kind);
    if (entry->offset == 1)
        hl_buffer_append_text(out, "conversation.created");
    else if (kind == HL_ENTRY_MESSAGE || kind == HL_ENTRY_NOTE || kind == HL_ENTRY_FORM)
        hl_buffer_printf(out, "%s.created", name);
    else
        hl_buffer_printf(out, "conversation.%s", name);
}

static void render_event(struct hl_buffer *out, const struct hl_feed *feed,
                         const struct hl_entry *entry)
{
    char cursor[HL_CURSOR_TEXT_SIZE];
    char inbox[HL_ID_TEXT_SIZE];
    hl_feed_format_cursor(feed->epoch, entry->position, cursor);
    hl_buffer_printf(out, "{\"cursor\":\"%s\",\"type\":\"", cursor);
    append_type(out, entry);
    hl_buffer_append_text(out, "\",\"site\":");
    hl_json_append_string(out, hl_bytes_of(entry->place.site));
    hl_buffer_append_text(out, ",\"inbox\":");
    hl_id_format(&entry->place.inbox, HL_ID_INBOX, inbox);
    hl_buffer_printf(out, hl_id_is_zero(&entry->place.inbox) ? "null," : "\"%s\",", inbox);
    hl_present_entry_members(out, entry);
    hl_buffer_append_text(out, "}");
}

void hl_feed_append_event(struct hl_buffer *out, const struct hl_feed *feed,
                          const struct hl_entry *entry)
{
    struct hl_recent *recent = &feed->api->recent;
    struct hl_buffer *text = NULL;
    if (hl_recent_find(recent, entry->position) != NULL) /* others will want it, too */
        text = hl_recent_text(recent, entry->position, entry->body_size);
    if (text != NULL && text->size == 0)
        render_event(text, feed, entry);
    if (text == NULL || hl_buffer_failed(text))
        render_event(out, feed, entry);
    else
        hl_buffer_append_bytes(out, hl_buffer_bytes(text));
}
