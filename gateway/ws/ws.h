/* WebSockets by libwebsockets: one context per loop on the loop's own uv loop. libwebsockets
 * never reads a client's HTTP: it is given the socket together with a handshake that we wrote
 * ourselves from what the gate let through. Thread: the loop's. */
#ifndef HL_GATEWAY_WS_H
#define HL_GATEWAY_WS_H

#include "gateway/conn.h"
#include "gateway/gate.h"

/* 0, -errno; `why` gets one line (the event-loop plugin is missing …). */
int hl_ws_engine_create(struct hl_wire *wire, char *why, size_t why_size,
                        struct hl_ws_engine **out_engine);
/* Cuts what is open; `wire` hears of the end by hl_wire_check_closed. Accepts NULL. */
void hl_ws_engine_destroy(struct hl_ws_engine *engine);

/* Turns the connection, whose input is exactly one handshake, into a WebSocket: a plain socket
 * is taken out of it, a TLS connection becomes a tunnel. Of `link` the origin is copied. 0: conn
 * is no longer the caller's; -errno: it still is, unchanged. */
int hl_ws_start(struct hl_conn *conn, const struct hl_gate_upgrade *upgrade,
                const struct hl_link *link);

/* Ends WebSockets that take nothing or do not answer our close. Called by the wire's timer. */
void hl_ws_check_due(struct hl_ws_engine *engine);

#endif
