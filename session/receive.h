/* Messages of a client: checked, taken apart into frames, each handed to its handler.
 * Thread: the loop's. */
#ifndef HL_SESSION_RECEIVE_H
#define HL_SESSION_RECEIVE_H

#include "base/bytes.h"
#include "base/json.h"

struct hl_hub;
struct hl_link;
struct hl_session;

/* One message over a stream. */
void hl_receive(struct hl_hub *hub, struct hl_link *link, struct hl_bytes message);
/* Frames of an array from one on, over whatever link; the session may end in it. */
void hl_receive_frames(struct hl_session *session, const json_t *frames, size_t first);
/* What came before the welcome. */
void hl_receive_deferred(struct hl_session *session);

#endif
