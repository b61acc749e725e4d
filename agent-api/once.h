/* POSTs that create: the Idempotency-Key (draft-ietf-httpapi-idempotency-key-header) and what
 * the directory says to a change. Thread: the loop's. */
#ifndef HL_AGENT_API_ONCE_H
#define HL_AGENT_API_ONCE_H

#include "agent-api/exchange.h"
#include "store/directory.h"

/* Reads the header into what the directory stores beside the effect: who, method and path name
 * it, so keys of others never meet. False: answered with 400. */
bool hl_once_read(struct hl_exchange *exchange, const struct hl_principal *who, bool is_required,
                  struct hl_directory_once *out_once, bool *out_is_given);

/* The answer as it is stored: status, two headers (NULL: without) and a JSON body. */
void hl_once_encode(struct hl_buffer *out, int status, const char *location, const char *etag,
                    struct hl_bytes body);
/* Gives it again, with Idempotent-Replayed: true. */
void hl_once_replay(struct hl_exchange *exchange, struct hl_bytes answer);

/* The problem of an outcome of hl_directory_submit or its done(). `noun`: "inbox". */
void hl_once_problem(struct hl_exchange *exchange, int r, const char *noun);

#endif
