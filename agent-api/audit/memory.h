/* What the process remembers so that the audit log stays readable: who read what just now, which
 * key came from where, who fails to sign in. Fixed in size: what is forgotten is recorded once
 * more. Shared by the loops. Thread: any; a short lock. */
#ifndef HL_AGENT_API_AUDIT_MEMORY_H
#define HL_AGENT_API_AUDIT_MEMORY_H

#include "agent-api/api.h"

struct hl_audit_memory;

struct hl_audit_memory *hl_audit_memory_create(void);         /* NULL: no memory */
void hl_audit_memory_destroy(struct hl_audit_memory *memory); /* accepts NULL */

/* A read of this conversation in this way by this person was recorded: just now; less than
 * HL_AUDIT_COALESCE_MS ago. */
void hl_audit_memory_keep(struct hl_api *api, const struct hl_id *reader,
                          const struct hl_id *conversation, const char *action);
bool hl_audit_memory_has(struct hl_api *api, const struct hl_id *reader,
                         const struct hl_id *conversation, const char *action);

/* Somebody proved who they are: records the first use of a key from an address since the start.
 * Somebody did not: records bursts, a few a minute at most. */
void hl_audit_memory_note_use(struct hl_api *api, const struct hl_exchange *exchange,
                              const struct hl_principal *principal);
void hl_audit_memory_note_refusal(struct hl_api *api, const struct hl_exchange *exchange);

#endif
