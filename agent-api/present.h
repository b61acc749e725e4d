/* How the API writes what it gives out, as JSON. */
#ifndef HL_AGENT_API_PRESENT_H
#define HL_AGENT_API_PRESENT_H

#include "base/bytes.h"
#include "store/conversation.h"

void hl_present_conversation(struct hl_buffer *out, const struct hl_conversation *conversation);
void hl_present_entry(struct hl_buffer *out, const struct hl_entry *entry);
/* The same without its braces. */
void hl_present_entry_members(struct hl_buffer *out, const struct hl_entry *entry);
/* "agt_…", "vis_…" … with quotes. */
void hl_present_author_id(struct hl_buffer *out, const struct hl_author *author);
/* A member `"name":"2026-…"`, or null for 0. */
void hl_present_moment(struct hl_buffer *out, const char *name, int64_t wall_ms);

#endif
