/* One open event feed: a parked long-poll or a server-sent event stream. Its only state is a
 * position in the log. A level feed gets the committed group from memory; one that is behind
 * reads pages; a stream whose peer does not read waits and keeps nothing but its position.
 * Thread: the loop's. */
#ifndef HL_AGENT_API_FEED_H
#define HL_AGENT_API_FEED_H

#include "agent-api/api_state.h"

struct hl_feed {
    struct hl_pending pending; /* first */
    struct hl_api *api;
    struct hl_list link;     /* api->feeds */
    struct hl_principal who; /* reads it; renewed when the directory changes */
    bool is_stream;
    bool is_scanning;
    bool is_over; /* to be freed when the scan comes back */
    uint64_t epoch;
    uint64_t position; /* all up to here was given out */
    uint32_t limit;    /* events in one long-poll answer */
    uint64_t due_ms;   /* long-poll: answer by then; stream: next heartbeat */
    struct hl_log_scan scan;
};

/* Takes the exchange, and a copy of `wish` without its list and request. */
void hl_feed_open(struct hl_api *api, struct hl_exchange *exchange, const struct hl_feed *wish);

enum { HL_CURSOR_TEXT_SIZE = 48 };
void hl_feed_format_cursor(uint64_t epoch, uint64_t position, char out_text[HL_CURSOR_TEXT_SIZE]);

#endif
