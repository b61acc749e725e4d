/* What is told to others and not stored: typing, presence; and what other hubs tell
 * this one. It may be lost, and is not sent to who cannot take it now.
 * Thread: the loop's. */
#ifndef HL_SESSION_EPHEMERAL_H
#define HL_SESSION_EPHEMERAL_H

#include "session/registry.h"

struct hl_session;
struct hl_subscription;

/* In all its conversations; nothing before the welcome. */
void hl_ephemeral_presence(struct hl_session *session, bool is_on);
void hl_ephemeral_presence_in(struct hl_subscription *subscription, bool is_on);
/* Dropped if it comes too fast. */
void hl_ephemeral_typing(struct hl_subscription *subscription, bool is_on);
void hl_ephemeral_on_signal(struct hl_registry_member *member, const struct hl_signal *signal);

#endif
