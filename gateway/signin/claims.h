/* What a pass or a ticket says, out of its sealed text. Pure. */
#ifndef HL_GATEWAY_SIGNIN_CLAIMS_H
#define HL_GATEWAY_SIGNIN_CLAIMS_H

#include "base/json.h"
#include "session/token.h"

enum { HL_CLAIMS_INVALID = 1 };

/* The value that was sealed for this purpose, out of a text of at most `size_max`; the caller's
 * (json_decref). The text in between is wiped. 0, HL_CLAIMS_INVALID, -ENOMEM. */
int hl_claims_open(const struct hl_token_keys *keys, const char *purpose, size_t size_max,
                   struct hl_bytes text, json_t **out_claims);

#endif
