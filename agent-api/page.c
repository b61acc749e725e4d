#include "agent-api/page.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/moment.h"

enum { LIMIT_DEFAULT = 50, CURSOR_SIZE = 1 + 1 + 16 + 1 + 16 };

bool hl_page_read_text(struct hl_exchange *exchange, const char *name, char *out, size_t out_size)
{
    char pointer[64];
    int r = hl_exchange_query(exchange, name, out, out_size);
    if (r == HL_QUERY_ABSENT)
        out[0] = '\0';
    if (r != HL_QUERY_INVALID)
        return true;
    snprintf(pointer, sizeof(pointer), "/%s", name);
    hl_reply_invalid(exchange, pointer, "%s is too long, not well-formed or given twice.", name);
    return false;
}

bool hl_page_read_moment(struct hl_exchange *exchange, const char *name, int64_t *out_wall_ms)
{
    char text[48];
    char pointer[64];
    *out_wall_ms = 0;
    if (!hl_page_read_text(exchange, name, text, sizeof(text)))
        return false;
    if (text[0] == '\0' || hl_moment_parse(hl_bytes_of(text), out_wall_ms) == 0)
        return true;
    snprintf(pointer, sizeof(pointer), "/%s", name);
    hl_reply_invalid(exchange, pointer, "%s is a moment as in 2026-11-23T13:37:05Z.", name);
    return false;
}

static bool parse_cursor(const char *text, struct hl_page_cursor *cursor)
{
    unsigned order = 0;
    uint64_t key = 0;
    char end = '\0';
    if (strlen(text) != CURSOR_SIZE || strspn(text, "0123456789abcdef.") != CURSOR_SIZE ||
        sscanf(text, "%1x.%16" SCNx64 ".%16" SCNx64 "%c", &order, &key, &cursor->number, &end) != 3)
        return false;
    cursor->key = (int64_t)key;
    cursor->is_given = true;
    return order == cursor->order && cursor->number <= INT64_MAX;
}

bool hl_page_read(struct hl_exchange *exchange, unsigned order, uint32_t limit_max,
                  uint32_t *out_limit, struct hl_page_cursor *out_cursor)
{
    char text[CURSOR_SIZE + 2];
    uint64_t limit = 0;
    *out_cursor = (struct hl_page_cursor){.order = order};
    if (!hl_page_read_text(exchange, "cursor", text, sizeof(text)) ||
        !hl_reply_read_number(exchange, "limit", 1, limit_max, LIMIT_DEFAULT, &limit))
        return false;
    *out_limit = (uint32_t)limit;
    if (text[0] == '\0' || parse_cursor(text, out_cursor))
        return true;
    hl_reply_invalid(exchange, "/cursor",
                     "cursor is not one this list gave out; start without one.");
    return false;
}

void hl_page_end(struct hl_buffer *out, bool has_more, const struct hl_page_cursor *next)
{
    hl_buffer_append_text(out, "],\"next_cursor\":");
    if (has_more)
        hl_buffer_printf(out, "\"%x.%016" PRIx64 ".%016" PRIx64 "\"", next->order,
                         (uint64_t)next->key, next->number);
    else
        hl_buffer_append_text(out, "null");
    hl_buffer_printf(out, ",\"has_more\":%s}", has_more ? "true" : "false");
}
