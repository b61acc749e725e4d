/* A WebSocket of the agents' event feed (holdline.events.v1) as an exchange: the router gets it
 * like a request and keeps it open; what is written to it goes out as text messages.
 * Thread: the loop's. Owner: the WebSocket. */
#ifndef HL_GATEWAY_WS_EVENTS_H
#define HL_GATEWAY_WS_EVENTS_H

#include "base/bytes.h"
#include "session/problem.h"

struct hl_ws;
struct hl_ws_events;

/* `head` is the handshake's, as the gate let it through; copied. NULL: no memory. */
struct hl_ws_events *hl_ws_events_create(struct hl_ws *ws, struct hl_bytes head);
/* All accept NULL. */
void hl_ws_events_free(struct hl_ws_events *events);
void hl_ws_events_gone(struct hl_ws_events *events);
void hl_ws_events_writable(struct hl_ws_events *events);

void hl_ws_events_open(struct hl_ws_events *events);
void hl_ws_events_receive(struct hl_ws_events *events, struct hl_bytes text);
/* What the wire finds wrong with a message. */
void hl_ws_events_refuse(struct hl_ws_events *events, const struct hl_problem *problem);

#endif
