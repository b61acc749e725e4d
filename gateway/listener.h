/* Takes new connections off the listening socket of one loop: checks them against the limits,
 * refuses what is too much with a short answer, opens the rest.
 * Thread: the loop's. */
#ifndef HL_GATEWAY_LISTENER_H
#define HL_GATEWAY_LISTENER_H

#include "gateway/wire_state.h"

/* Takes wire->config.listen_fd over. 0, -errno. */
int hl_listener_create(struct hl_wire *wire, struct hl_listener **out_listener);
/* Closes the socket; frees itself in a later turn of the loop. Accepts NULL. */
void hl_listener_destroy(struct hl_listener *listener);

#endif
