/* Lists, page by page: their query parameters and their JSON. A cursor is opaque to clients: the
 * order it belongs to, and key and number of the last item, in hex.
 * Thread: the loop's. */
#ifndef HL_AGENT_API_PAGE_H
#define HL_AGENT_API_PAGE_H

#include "agent-api/reply.h"

struct hl_page_cursor {
    bool is_given;
    unsigned order; /* 0 … 15: of which list it is a place */
    int64_t key;
    uint64_t number;
};

/* ?limit and ?cursor. False: answered with 422. */
bool hl_page_read(struct hl_exchange *exchange, unsigned order, uint32_t limit_max,
                  uint32_t *out_limit, struct hl_page_cursor *out_cursor);
/* One optional parameter of the query; empty if absent. False: answered with 422. */
bool hl_page_read_text(struct hl_exchange *exchange, const char *name, char *out, size_t out_size);
/* The same as an RFC 3339 moment; 0 if absent. */
bool hl_page_read_moment(struct hl_exchange *exchange, const char *name, int64_t *out_wall_ms);

/* `],"next_cursor":…,"has_more":…}` behind the items. */
void hl_page_end(struct hl_buffer *out, bool has_more, const struct hl_page_cursor *next);

#endif
