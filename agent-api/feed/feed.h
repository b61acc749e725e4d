/* One open event feed: a parked long-poll, a server-sent event stream or a WebSocket. Its only
 * state is a position in the log. Feeds have turns: one that is about level gets what was
 * committed from memory; one that is behind reads pages; one whose peer does not read waits and
 * keeps nothing but its position.
 *
 * feed.c moves it through the log; how events are handed over is the transport's: poll.c,
 * stream.c, socket.c. Thread: the loop's. */
#ifndef HL_AGENT_API_FEED_FEED_H
#define HL_AGENT_API_FEED_FEED_H

#include "agent-api/api_state.h"

struct hl_feed;

struct hl_feed_transport {
    /* Takes the exchange over; the feed is in the list. May close the feed. */
    void (*begin)(struct hl_feed *feed);
    /* May events be handed over now? If not, hl_feed_continue is called when that changes. */
    bool (*is_ready)(struct hl_feed *feed);
    /* Has entries from right after the feed's position on: those it takes move the position, as do
     * those that are not for this feed. False: the feed is closed. */
    bool (*deliver)(struct hl_feed *feed, const struct hl_batch *batch, uint64_t head);
    /* What is not stored: one JSON object. Lost if it cannot be taken now. False: closed. */
    bool (*tell)(struct hl_feed *feed, struct hl_bytes object);
    /* due_ms has come. */
    void (*due)(struct hl_feed *feed);
    /* The gateway goes down: comes to a good end. Closes the feed. */
    void (*drain)(struct hl_feed *feed);
    /* Closes the feed. */
    void (*fail)(struct hl_feed *feed, const struct hl_problem *problem);
};
extern const struct hl_feed_transport hl_feed_poll, hl_feed_stream, hl_feed_socket;

/* Which events are wanted, of those that may be seen. */
struct hl_feed_filter {
    char site[HL_SITE_SIZE_MAX + 1]; /* empty: any */
    struct hl_id inbox;              /* zero: any */
    struct hl_id conversation;       /* zero: any */
};

enum { HL_FEED_CREDIT = 256 }; /* events on a WebSocket that were not acknowledged yet */

struct hl_feed {
    struct hl_pending pending; /* first */
    struct hl_api *api;
    struct hl_list link; /* api->feeds */
    const struct hl_feed_transport *transport;
    struct hl_principal who; /* reads it; renewed when the directory changes */
    struct hl_feed_filter filter;
    bool has_presence; /* wants what is not stored, too */
    bool from_start;   /* trimmed entries before the first one are no gap */
    bool is_scanning;
    bool is_over;    /* to be freed when the scan comes back */
    bool is_open;    /* counted as the agent's presence */
    bool is_started; /* stream: its head was sent */
    uint64_t round;  /* of turns: the last one it had its turn in */
    uint64_t epoch;
    uint64_t position; /* all up to here was given out, or is not for this feed */
    uint64_t told;     /* the last position the client was told */
    uint32_t limit;    /* poll: events in one answer */
    uint64_t due_ms;
    struct hl_log_scan scan;
    /* sockets */
    bool is_authenticated;
    uint64_t heard_ms;
    uint32_t n_unacked, first_unacked; /* a ring */
    uint64_t unacked[HL_FEED_CREDIT];  /* positions */
};

/* Opens a feed for an exchange, with a copy of `wish`. */
void hl_feed_open(struct hl_api *api, struct hl_exchange *exchange, const struct hl_feed *wish);
/* It is known who reads: the agent counts as present, and hears who else is. */
void hl_feed_enter(struct hl_feed *feed);
/* Reads on if there is something and it can be handed over. */
void hl_feed_continue(struct hl_feed *feed);
/* The next entry of the batch, from *i on, that comes after the feed's position and is for this
 * feed; NULL: none. Moves *i behind it and `*out_passed` to the last position before it. */
const struct hl_entry *hl_feed_next(const struct hl_feed *feed, const struct hl_batch *batch,
                                    size_t *i, uint64_t *out_passed);
/* Its exchange has been answered, ended, or is gone. Frees it, at once or later. */
void hl_feed_close(struct hl_feed *feed);
uint64_t hl_feed_now(const struct hl_feed *feed);

/* Whether the feed's reader may hear of the place and wants to. */
bool hl_feed_wants(const struct hl_feed *feed, const struct hl_place *place,
                   const struct hl_id *conversation);

enum { HL_CURSOR_TEXT_SIZE = 48 };
void hl_feed_format_cursor(uint64_t epoch, uint64_t position, char out_text[HL_CURSOR_TEXT_SIZE]);
bool hl_feed_parse_cursor(const char *text, uint64_t *out_epoch, uint64_t *out_position);
/* The event of an entry as a JSON object. */
void hl_feed_append_event(struct hl_buffer *out, const struct hl_feed *feed,
                          const struct hl_entry *entry);

#endif
