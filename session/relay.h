/* A poll that came to another loop than the one that has its session: the hub it came to (its
 * home) hands the request over and gives the answer to the client when it comes back. So a
 * client need not know that there are several loops.
 * Thread: the home's, but for hl_relay_arrive. Owner: who has it in hand. */
#ifndef HL_SESSION_RELAY_H
#define HL_SESSION_RELAY_H

#include <stdbool.h>

#include "base/bytes.h"
#include "session/registry.h"

struct hl_hub;
struct hl_link;
struct hl_relay;

/* Hands the request over, if another hub has the session with that generation. False: none
 * has, or it takes no more, or there is no memory; nothing was done. */
bool hl_relay_start(struct hl_hub *home, struct hl_link *link, const struct hl_attach *attach,
                    struct hl_bytes body);
/* The client's connection is gone: the answer will go nowhere. */
void hl_relay_forget(struct hl_link *link);
/* On the loop of the hub that has the session. */
void hl_relay_arrive(struct hl_hub *hub, struct hl_relay *relay);

#endif
