/* What a widget asks before anybody chats: GET /v1/availability (is somebody there, how long
 * does it take) and GET /v1/widget (that, and how the widget of this inbox shall look). Public, for
 * the pages of the site; nothing in it is about a person.
 * Thread: the loop's. */
#ifndef HL_GATEWAY_VISIT_LOBBY_H
#define HL_GATEWAY_VISIT_LOBBY_H

#include "agent-api/online.h"
#include "agent-api/pending.h"
#include "gateway/visit/door.h"
#include "store/index.h"

enum { HL_LOBBY_NOTES = 32, HL_LOBBY_NOTE_MS = 1000 };

/* How busy an inbox was a moment ago: a crowd of pages asks the index once. */
struct hl_lobby_note {
    struct hl_id inbox;
    uint64_t until_ms; /* monotonic; 0: empty */
    uint64_t n_waiting;
    int64_t median_wait_ms;
    uint32_t n_online;
};

struct hl_lobby { /* of one loop; zeroed, then the first members set */
    const struct hl_doors *doors;
    struct hl_online *online;
    struct hl_index *index;
    struct hl_loop *loop;
    const struct hl_clock *clock;
    struct hl_pending_set pending;
    struct hl_lobby_note notes[HL_LOBBY_NOTES];
};

/* hl_route.handle with struct hl_lobby as argument. */
void hl_lobby_availability(void *arg, struct hl_exchange *exchange,
                           const struct hl_route_params *params);
void hl_lobby_widget(void *arg, struct hl_exchange *exchange, const struct hl_route_params *params);

#endif
