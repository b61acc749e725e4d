/* A TLS connection that carries a WebSocket: decrypted bytes go through a socket pair to
 * libwebsockets, which has the other end, and back. Both directions stop reading while the
 * other side takes nothing, so nothing piles up here. Thread: the loop's. */
#ifndef HL_GATEWAY_TUNNEL_H
#define HL_GATEWAY_TUNNEL_H

#include "gateway/conn.h"

/* Makes the connection a tunnel; out_fd is the inner end, the caller's. 0, -errno (the
 * connection is then unchanged). */
int hl_tunnel_start(struct hl_conn *conn, int *out_fd);

#endif
