#include "agent-api/conversation/transcript_text.h"

#include <string.h>

#include "agent-api/present.h"
#include "base/json.h"
#include "base/moment.h"

/* -- JSON and NDJSON: entries as everywhere in the API -- */

static void json_head(struct hl_buffer *out, const struct hl_conversation *conversation)
{
    hl_buffer_append_text(out, "{\"conversation\":");
    hl_present_conversation(out, conversation);
    hl_buffer_append_text(out, ",\"entries\":[");
}

static void json_entry(struct hl_buffer *out, const struct hl_entry *entry,
                       const struct hl_directory_snapshot *names, bool is_first)
{
    (void)names;
    hl_buffer_append_text(out, is_first ? "" : ",");
    hl_present_entry(out, entry);
}

static void json_foot(struct hl_buffer *out, const struct hl_conversation *conversation)
{
    (void)conversation;
    hl_buffer_append_text(out, "]}\n");
}

static void lines_entry(struct hl_buffer *out, const struct hl_entry *entry,
                        const struct hl_directory_snapshot *names, bool is_first)
{
    (void)names;
    (void)is_first;
    hl_present_entry(out, entry);
    hl_buffer_append_text(out, "\n");
}

static void nothing(struct hl_buffer *out, const struct hl_conversation *conversation)
{
    (void)out;
    (void)conversation;
}

/* -- for people -- */

static const char *name_of(const struct hl_entry *entry, const struct hl_directory_snapshot *names)
{
    if (entry->author.role == HL_ROLE_VISITOR)
        return "Visitor";
    if (entry->author.role == HL_ROLE_SYSTEM)
        return "System";
    const struct hl_agent *agent = hl_snapshot_agent(names, &entry->author.id);
    return agent != NULL ? agent->name : "Agent";
}

static const char *event_of(const struct hl_entry *entry)
{
    switch ((enum hl_entry_kind)entry->kind) {
    case HL_ENTRY_CLAIMED:
        return "joined";
    case HL_ENTRY_RELEASED:
        return "left";
    case HL_ENTRY_TRANSFERRED:
        return "passed the conversation on";
    case HL_ENTRY_MOVED:
        return "moved the conversation to another inbox";
    case HL_ENTRY_CLOSED:
        return "closed the conversation";
    case HL_ENTRY_REOPENED:
        return "reopened the conversation";
    case HL_ENTRY_UPDATED:
        return "changed tags or fields";
    case HL_ENTRY_ERASED:
        return "erased the conversation";
    default:
        return NULL;
    }
}

enum { PATH_SIZE_MAX = 8, SAID_BYTES_MAX = 4 * HL_ENTRY_BODY_SIZE_MAX };

/* What an entry says, as text: the members of a form or rating, one per line. The name of their
 * object goes before them if it is one of ours; a long one would be repeated too often. */
static void append_said(struct hl_buffer *out, const json_t *body, const char *path)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)body, name, value)
    {
        bool is_text = strcmp(name, "text") == 0;
        if (json_is_object(value)) {
            append_said(out, value, strlen(name) <= PATH_SIZE_MAX ? name : NULL);
            continue;
        }
        if (out->size > 0)
            hl_buffer_append_text(out, "\n");
        if (!is_text && path != NULL)
            hl_buffer_printf(out, "%s.", path);
        if (!is_text)
            hl_buffer_printf(out, "%s: ", name);
        if (json_is_string(value))
            hl_buffer_append(out, json_string_value(value), json_string_length(value));
        else
            hl_json_append_canonical(out, value);
    }
}

/* False: it is an event, or erased, and says nothing. */
static bool read_said(const struct hl_entry *entry, struct hl_buffer *out)
{
    json_t *body = NULL;
    char why[160];
    hl_buffer_clear(out);
    if (entry->is_erased || event_of(entry) != NULL ||
        hl_json_parse(hl_entry_body(entry), why, sizeof(why), &body) != 0)
        return false;
    append_said(out, body, NULL);
    json_decref(body);
    return !hl_buffer_failed(out);
}

static void append_quiet(struct hl_buffer *out, const struct hl_entry *entry)
{
    const char *event = event_of(entry);
    hl_buffer_append_text(out, event != NULL ? event : "(erased)");
}

/* -- plain text -- */

static void text_head(struct hl_buffer *out, const struct hl_conversation *conversation)
{
    char opened[HL_MOMENT_TEXT_SIZE];
    hl_moment_format(conversation->opened_ms, opened);
    hl_buffer_printf(out, "Conversation %s\nOpened %s\nTimes are UTC.\n\n", conversation->reference,
                     opened);
}

static void text_entry(struct hl_buffer *out, const struct hl_entry *entry,
                       const struct hl_directory_snapshot *names, bool is_first)
{
    struct hl_buffer said;
    char at[HL_MOMENT_TEXT_SIZE];
    (void)is_first;
    hl_moment_format(entry->wall_ms, at);
    hl_buffer_init(&said, SAID_BYTES_MAX);
    hl_buffer_printf(out, "[%.10s %.8s] %s", at, at + 11, name_of(entry, names));
    if (entry->kind == HL_ENTRY_NOTE)
        hl_buffer_append_text(out, " (note)");
    if (!read_said(entry, &said)) {
        hl_buffer_append_text(out, " ");
        append_quiet(out, entry);
        hl_buffer_append_text(out, "\n");
    } else {
        hl_buffer_append_text(out, ": ");
        for (size_t i = 0; i < said.size; i++) { /* later lines of one message are indented */
            hl_buffer_append(out, &said.data[i], 1);
            if (said.data[i] == '\n')
                hl_buffer_append_text(out, "    ");
        }
        hl_buffer_append_text(out, "\n");
    }
    hl_buffer_fini(&said);
}

static void text_foot(struct hl_buffer *out, const struct hl_conversation *conversation)
{
    hl_buffer_printf(out, "\nEnd of transcript %s\n", conversation->reference);
}

/* -- HTML -- */

static void append_escaped(struct hl_buffer *out, struct hl_bytes text)
{
    size_t start = 0;
    for (size_t i = 0; i <= text.size; i++) {
        const char *escape = NULL;
        char c = i < text.size ? text.data[i] : '\0';
        if (c == '&')
            escape = "&amp;";
        else if (c == '<')
            escape = "&lt;";
        else if (c == '>')
            escape = "&gt;";
        else if (c == '"')
            escape = "&quot;";
        if (escape == NULL && i < text.size)
            continue;
        hl_buffer_append(out, text.data + start, i - start);
        hl_buffer_append_text(out, escape != NULL ? escape : "");
        start = i + 1;
    }
}

static const char style[] =
    "body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;"
    "color:#1c1e21;background:#fff}h1{font-size:1.25rem}ol{list-style:none;padding:0}"
    "li{margin:0 0 1rem;break-inside:avoid}header{color:#55585e;font-size:.875rem}"
    "p{margin:.15rem 0 0;white-space:pre-wrap;overflow-wrap:anywhere}"
    ".agent,.integration{border-inline-start:3px solid #3d5afe;padding-inline-start:.75rem}"
    ".visitor{border-inline-start:3px solid #8a8d91;padding-inline-start:.75rem}"
    ".note p{background:#fff6d6}.event{color:#55585e;font-size:.875rem}"
    "@media print{body{margin:0;max-width:none;font-size:11pt}}";

static void html_head(struct hl_buffer *out, const struct hl_conversation *conversation)
{
    char opened[HL_MOMENT_TEXT_SIZE];
    hl_moment_format(conversation->opened_ms, opened);
    hl_buffer_append_text(out, "<!doctype html>\n<html lang=\"en\" dir=\"ltr\">\n<head>\n"
                               "<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
                               "content=\"width=device-width\">\n<title>Conversation ");
    append_escaped(out, hl_bytes_of(conversation->reference));
    hl_buffer_printf(out, "</title>\n<style>%s</style>\n</head>\n<body>\n<h1>Conversation ", style);
    append_escaped(out, hl_bytes_of(conversation->reference));
    hl_buffer_printf(out, "</h1>\n<p>Opened <time>%s</time>. Times are UTC.</p>\n<ol>\n", opened);
}

static void html_entry(struct hl_buffer *out, const struct hl_entry *entry,
                       const struct hl_directory_snapshot *names, bool is_first)
{
    struct hl_buffer said;
    char at[HL_MOMENT_TEXT_SIZE];
    (void)is_first;
    hl_moment_format(entry->wall_ms, at);
    hl_buffer_init(&said, SAID_BYTES_MAX);
    bool has_said = read_said(entry, &said);
    const char *role = hl_role_name((enum hl_role)entry->author.role);
    if (has_said)
        hl_buffer_printf(out, "<li class=\"%s%s\"><header><b dir=\"auto\">", role,
                         entry->kind == HL_ENTRY_NOTE ? " note" : "");
    else
        hl_buffer_append_text(out, "<li class=\"event\"><header><b dir=\"auto\">");
    append_escaped(out, hl_bytes_of(name_of(entry, names)));
    hl_buffer_append_text(out, "</b> ");
    if (!has_said)
        append_quiet(out, entry);
    else if (entry->kind == HL_ENTRY_NOTE)
        hl_buffer_append_text(out, "(note)");
    hl_buffer_printf(out, " <time datetime=\"%s\">%.10s %.8s</time></header>", at, at, at + 11);
    if (has_said) {
        hl_buffer_append_text(out, "<p dir=\"auto\">");
        append_escaped(out, hl_buffer_bytes(&said));
        hl_buffer_append_text(out, "</p>");
    }
    hl_buffer_append_text(out, "</li>\n");
    hl_buffer_fini(&said);
}

static void html_foot(struct hl_buffer *out, const struct hl_conversation *conversation)
{
    (void)conversation;
    hl_buffer_append_text(out, "</ol>\n<p>End of transcript</p>\n</body>\n</html>\n");
}

const struct hl_transcript_form hl_transcript_forms[HL_TRANSCRIPT_FORMS] = {
    {"json", "application/json", json_head, json_entry, json_foot},
    {"ndjson", "application/x-ndjson", nothing, lines_entry, nothing},
    {"text", "text/plain; charset=utf-8", text_head, text_entry, text_foot},
    {"html", "text/html; charset=utf-8", html_head, html_entry, html_foot},
};
